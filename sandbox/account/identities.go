package account

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The account's principals. The operator runs the stacks; the stranger has
// valid credentials and no access to any cluster, which is how a refusal is
// proven.
const (
	OperatorARN = "arn:aws:iam::" + AccountID + ":user/sandbox-operator"
	StrangerARN = "arn:aws:iam::" + AccountID + ":user/sandbox-stranger"
)

// Identity is an IAM user of the account with its access key.
type Identity struct {
	Name            string `json:"name"`
	ARN             string `json:"arn"`
	UserID          string `json:"userId"`
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

// String leaves out the secret.
func (i Identity) String() string { return i.Name + " (" + i.AccessKeyID + ")" }

// GoString leaves out the secret.
func (i Identity) GoString() string { return i.String() }

// Identities returns the account's users.
func (a *Account) Identities() []Identity { return append([]Identity(nil), a.identities...) }

// Identity returns a user by its name, such as "sandbox-operator".
func (a *Account) Identity(name string) (Identity, bool) {
	for _, i := range a.identities {
		if i.Name == name {
			return i, true
		}
	}
	return Identity{}, false
}

// IdentityByAccessKey returns the user that an access key belongs to.
func (a *Account) IdentityByAccessKey(accessKeyID string) (Identity, bool) {
	for _, i := range a.identities {
		if i.AccessKeyID == accessKeyID {
			return i, true
		}
	}
	return Identity{}, false
}

// loadIdentities reads the users, or makes them with new keys. The file can be
// read by its owner only.
func loadIdentities(dir string) ([]Identity, error) {
	path := filepath.Join(dir, "identities.json")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeIdentities(path)
	}
	if err != nil {
		return nil, err
	}
	var identities []Identity
	if err := json.Unmarshal(data, &identities); err != nil || len(identities) == 0 {
		return nil, errors.Join(fmt.Errorf("%s is damaged: remove it to have new access keys made", path), err)
	}
	return identities, nil
}

func makeIdentities(path string) ([]Identity, error) {
	var identities []Identity
	for _, user := range []struct{ name, arn string }{
		{"sandbox-operator", OperatorARN}, {"sandbox-stranger", StrangerARN},
	} {
		secret := make([]byte, 30)
		if _, err := rand.Read(secret); err != nil {
			return nil, err
		}
		identities = append(identities, Identity{
			Name: user.name, ARN: user.arn,
			UserID:          "AIDA" + upper(16),
			AccessKeyID:     "AKIA" + upper(16),
			SecretAccessKey: base64.StdEncoding.EncodeToString(secret),
		})
	}
	data, err := json.MarshalIndent(identities, "", "  ")
	if err != nil {
		return nil, err
	}
	temp := path + ".new"
	if err := os.WriteFile(temp, data, 0o600); err != nil {
		return nil, err
	}
	return identities, os.Rename(temp, path)
}
