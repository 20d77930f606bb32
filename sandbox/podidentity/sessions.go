package podidentity

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/awsapi"
	"github.com/strongroom-platform/strongroom/sandbox/sigv4"
)

// life is how long credentials are good: that of EKS Pod Identity.
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
const life = 6 * time.Hour

// Credentials are temporary credentials of a role.
type Credentials struct {
	AccessKeyID     string    `json:"AccessKeyId"`
	SecretAccessKey string    `json:"SecretAccessKey"`
	Token           string    `json:"Token"`
	AccountID       string    `json:"AccountId"`
	Expiration      time.Time `json:"Expiration"`
}

// String leaves out the secrets.
func (c Credentials) String() string { return c.AccessKeyID }

// GoString leaves out the secrets.
func (c Credentials) GoString() string { return c.AccessKeyID }

// Sessions are the sessions of roles that are under way. They end with the
// process, as do those who have them: Vault's servers and Jobs are children of
// the same daemon.
type Sessions struct {
	// Now is the clock; time.Now when nil.
	Now func() time.Time

	mu       sync.Mutex
	sessions map[string]awsapi.Credential
}

// Issue makes credentials for a role.
func (s *Sessions) Issue(role, session string) (Credentials, error) {
	random := make([]byte, 110)
	if _, err := rand.Read(random); err != nil {
		return Credentials{}, fmt.Errorf("session of the role %s: %w", role, err)
	}
	now := s.now()
	c := Credentials{
		AccessKeyID:     "ASIA" + base32.StdEncoding.EncodeToString(random[:10]),
		SecretAccessKey: base64.StdEncoding.EncodeToString(random[10:40]),
		Token:           base64.StdEncoding.EncodeToString(random[40:]),
		AccountID:       account.AccountID,
		Expiration:      now.Add(life).UTC().Truncate(time.Second),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions == nil {
		s.sessions = map[string]awsapi.Credential{}
	}
	maps.DeleteFunc(s.sessions, func(_ string, old awsapi.Credential) bool { return now.After(old.Expires) })
	s.sessions[c.AccessKeyID] = awsapi.Credential{
		Key:     sigv4.Key{Secret: c.SecretAccessKey, SessionToken: c.Token},
		Expires: c.Expiration,
		Caller:  awsapi.Caller{ARN: sessionARN(role, session), Role: role},
	}
	return c, nil
}

// Credential finds a session by its access key.
func (s *Sessions) Credential(accessKeyID string) (awsapi.Credential, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	credential, found := s.sessions[accessKeyID]
	return credential, found
}

func (s *Sessions) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// sessionARN leaves a role's path out, as STS does.
func sessionARN(role, session string) string {
	return "arn:aws:sts::" + account.AccountID + ":assumed-role/" + role[strings.LastIndex(role, "/")+1:] + "/" + session
}
