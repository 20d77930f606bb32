package sandbox

import (
	"net/http"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/awsapi"
	"github.com/strongroom-platform/strongroom/sandbox/ec2"
	"github.com/strongroom-platform/strongroom/sandbox/s3"
	"github.com/strongroom-platform/strongroom/sandbox/sigv4"
	"github.com/strongroom-platform/strongroom/sandbox/sts"
)

// dataPlanes is the simulated AWS as programs reach it: one address, where the
// signature of a request says which service it is for. What is unsigned, or for a
// service that is not there, gets the answer of STS, which says so.
func (d *daemon) dataPlanes() http.Handler {
	credentials := awsapi.Credentials(d.accessKey)
	return awsapi.Dispatch{
		ec2.Scope: &ec2.Server{Account: d.account, Credentials: credentials, Log: d.log},
		s3.Scope:  &s3.Server{Account: d.account, Credentials: credentials, Log: d.log},
		"":        &sts.Server{Credentials: d.credential, Log: d.log},
	}
}

// accessKey finds the owner of an access key among the account's users.
func (d *daemon) accessKey(id string) (awsapi.Credential, bool) {
	identity, found := d.account.IdentityByAccessKey(id)
	if !found {
		return awsapi.Credential{}, false
	}
	return awsapi.Credential{Key: sigv4.Key{Secret: identity.SecretAccessKey}, Caller: awsapi.Caller{ARN: identity.ARN}}, true
}

// credential is accessKey for STS, which also tells the unique ID.
func (d *daemon) credential(id string) (sts.Credential, bool) {
	identity, found := d.account.IdentityByAccessKey(id)
	if !found {
		return sts.Credential{}, false
	}
	return sts.Credential{
		Secret:   identity.SecretAccessKey,
		Identity: sts.Identity{Account: account.AccountID, ARN: identity.ARN, UserID: identity.UserID},
	}, true
}
