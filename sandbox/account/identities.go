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
	"slices"
)

// The account's principals. The operator runs the stacks; the stranger has
// valid credentials and no access to any cluster, which is how a refusal is
// proven. The backup is a session of BackupRole, which logs in to Vault.
const (
	OperatorARN = "arn:aws:iam::" + AccountID + ":user/sandbox-operator"
	StrangerARN = "arn:aws:iam::" + AccountID + ":user/sandbox-stranger"
	BackupARN   = "arn:aws:sts::" + AccountID + ":assumed-role/sandbox-backup/sandbox"
	BackupRole  = "arn:aws:iam::" + AccountID + ":role/sandbox-backup"
)

// Identity is an IAM user of the account, or a session of a role, with its access key.
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

// Identities returns the account's principals.
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

// loadIdentities reads the principals, and makes those that are not there yet, with
// new keys. The file can be read by its owner only.
func loadIdentities(dir string) ([]Identity, error) {
	path := filepath.Join(dir, "identities.json")
	var identities []Identity
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(data, &identities); err != nil || len(identities) == 0 {
			return nil, errors.Join(fmt.Errorf("%s is damaged: remove it to have new access keys made", path), err)
		}
	}
	made := false
	for _, wanted := range []struct{ name, arn, unique string }{
		{"sandbox-operator", OperatorARN, "AIDA" + upper(16)},
		{"sandbox-stranger", StrangerARN, "AIDA" + upper(16)},
		{"sandbox-backup", BackupARN, "AROA" + upper(16) + ":sandbox"},
	} {
		if slices.ContainsFunc(identities, func(i Identity) bool { return i.ARN == wanted.arn }) {
			continue
		}
		secret := make([]byte, 30)
		if _, err := rand.Read(secret); err != nil {
			return nil, err
		}
		made = true
		identities = append(identities, Identity{
			Name: wanted.name, ARN: wanted.arn, UserID: wanted.unique,
			AccessKeyID: "AKIA" + upper(16), SecretAccessKey: base64.StdEncoding.EncodeToString(secret),
		})
	}
	if !made {
		return identities, nil
	}
	if data, err = json.MarshalIndent(identities, "", "  "); err != nil {
		return nil, err
	}
	temp := path + ".new"
	if err := os.WriteFile(temp, data, 0o600); err != nil {
		return nil, err
	}
	return identities, os.Rename(temp, path)
}
