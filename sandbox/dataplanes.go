package sandbox

import (
	"fmt"
	"net/http"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/awsapi"
	"github.com/strongroom-platform/strongroom/sandbox/ec2"
	"github.com/strongroom-platform/strongroom/sandbox/kms"
	"github.com/strongroom-platform/strongroom/sandbox/podidentity"
	"github.com/strongroom-platform/strongroom/sandbox/s3"
	"github.com/strongroom-platform/strongroom/sandbox/secretsmanager"
	"github.com/strongroom-platform/strongroom/sandbox/sigv4"
	"github.com/strongroom-platform/strongroom/sandbox/sts"
)

// dataPlanes is the simulated AWS as programs reach it: one address, where the
// signature of a request says which service it is for. What is unsigned, or for a
// service that is not there, gets the answer of STS, which says so.
func (d *daemon) dataPlanes() http.Handler {
	credentials := awsapi.Credentials(d.accessKey)
	keys := kms.New(d.account, d.sandbox.AccountDir())
	return awsapi.Dispatch{
		ec2.Scope:            &ec2.Server{Account: d.account, Credentials: credentials, Log: d.log},
		s3.Scope:             &s3.Server{Account: d.account, Credentials: credentials, Log: d.log},
		kms.Scope:            keys.Handler(credentials, d.log),
		secretsmanager.Scope: secretsmanager.New(d.account, keys, d.sandbox.AccountDir()).Handler(credentials, d.log),
		"":                   &sts.Server{Credentials: d.credential, Log: d.log},
	}
}

// accessKey finds the owner of an access key: a user, or the session of a role.
func (d *daemon) accessKey(id string) (awsapi.Credential, bool) {
	if identity, found := d.account.IdentityByAccessKey(id); found {
		return awsapi.Credential{Key: sigv4.Key{Secret: identity.SecretAccessKey}, Caller: awsapi.Caller{ARN: identity.ARN}}, true
	}
	return d.sessions.Credential(id)
}

// credential is accessKey for STS, which also tells the unique ID.
func (d *daemon) credential(id string) (sts.Credential, bool) {
	if identity, found := d.account.IdentityByAccessKey(id); found {
		return sts.Credential{
			Secret:   identity.SecretAccessKey,
			Identity: sts.Identity{Account: account.AccountID, ARN: identity.ARN, UserID: identity.UserID},
		}, true
	}
	session, found := d.sessions.Credential(id)
	if !found || time.Now().After(session.Expires) {
		return sts.Credential{}, false
	}
	return sts.Credential{
		Secret: session.Key.Secret, SessionToken: session.Key.SessionToken,
		Identity: sts.Identity{Account: account.AccountID, ARN: session.Caller.ARN, UserID: d.account.RoleID(session.Caller.Role)},
	}, true
}

// podIdentity is the agent for all clusters.
func (d *daemon) podIdentity() http.Handler {
	return &podidentity.Agent{Cluster: d.clusterOfIssuer, Role: d.account.PodRole, Sessions: d.sessions, Log: d.log}
}

// clusterOfIssuer finds the cluster that issues service-account tokens.
func (d *daemon) clusterOfIssuer(issuer string) (string, kubernetes.Interface, error) {
	for _, plane := range d.planes.Status() {
		if plane.URL != issuer || issuer == "" {
			continue
		}
		config, err := d.planes.AdminConfig(plane.Name)
		if err != nil {
			return "", nil, err
		}
		client, err := kubernetes.NewForConfig(config)
		return plane.Name, client, err
	}
	return "", nil, fmt.Errorf("no cluster of the simulated account issues tokens as %q", issuer)
}
