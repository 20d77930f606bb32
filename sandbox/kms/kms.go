// Package kms is the data plane of the simulated account's Key Management
// Service: Encrypt, Decrypt, GenerateDataKey and DescribeKey, with real
// AES-256-GCM, for keys that the account has.
//
// It is as strict as KMS about what matters to the platform: a key must exist in
// the request's region and be enabled, the key's policy and the caller's have to
// allow the call, a ciphertext opens only with its own key and its own encryption
// context. https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html
package kms

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/awsapi"
)

// Scope is the service's name in a signature.
const Scope = "kms"

// maxPlaintext is the limit of KMS, in bytes.
const maxPlaintext = 4096

// Service is the simulated KMS of an account.
type Service struct {
	account  *account.Account
	material *material
}

// New returns the KMS of an account that is kept in dir.
func New(a *account.Account, dir string) *Service {
	return &Service{account: a, material: &material{dir: filepath.Join(dir, "kms")}}
}

// Handler serves it.
func (s *Service) Handler(credentials awsapi.Credentials, log *slog.Logger) http.Handler {
	return &awsapi.JSON{Name: Scope, Target: "TrentService", Credentials: credentials, Log: log, Operations: map[string]awsapi.Operation{
		"DescribeKey":     s.describe,
		"Encrypt":         s.encrypt,
		"Decrypt":         s.decrypt,
		"GenerateDataKey": s.generateDataKey,
	}}
}

func (s *Service) describe(ctx context.Context, call awsapi.Call) (any, error) {
	var in struct {
		KeyID       string   `json:"KeyId"`
		GrantTokens []string `json:"GrantTokens"`
	}
	if err := call.Decode(&in); err != nil {
		return nil, err
	}
	key, err := s.key(ctx, call, in.KeyID, nil)
	if err != nil {
		return nil, err
	}
	state := "Enabled"
	if !key.Enabled {
		state = "Disabled"
	}
	return map[string]any{"KeyMetadata": map[string]any{
		"AWSAccountId": account.AccountID, "KeyId": key.ID, "Arn": key.ARN, "Description": key.Description,
		"Enabled": key.Enabled, "KeyState": state, "KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT",
		"CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "EncryptionAlgorithms": []string{algorithm},
		"KeyManager": "CUSTOMER", "Origin": "AWS_KMS", "MultiRegion": false, "CreationDate": float64(time.Now().Unix()),
	}}, nil
}

const algorithm = "SYMMETRIC_DEFAULT"

type encryptInput struct {
	KeyID               string            `json:"KeyId"`
	Plaintext           []byte            `json:"Plaintext"`
	CiphertextBlob      []byte            `json:"CiphertextBlob"`
	EncryptionContext   map[string]string `json:"EncryptionContext"`
	EncryptionAlgorithm string            `json:"EncryptionAlgorithm"`
	KeySpec             string            `json:"KeySpec"`
	NumberOfBytes       int               `json:"NumberOfBytes"`
	GrantTokens         []string          `json:"GrantTokens"`
}

func (s *Service) encrypt(ctx context.Context, call awsapi.Call) (any, error) {
	var in encryptInput
	if err := call.Decode(&in); err != nil {
		return nil, err
	}
	if len(in.Plaintext) == 0 || len(in.Plaintext) > maxPlaintext {
		return nil, awsapi.Refuse("ValidationException", "'plaintext' must have 1 to %d bytes, it has %d", maxPlaintext, len(in.Plaintext))
	}
	key, err := s.usable(ctx, call, in)
	if err != nil {
		return nil, err
	}
	blob, err := s.material.seal(key.ID, in.Plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return map[string]any{"CiphertextBlob": blob, "KeyId": key.ARN, "EncryptionAlgorithm": algorithm}, nil
}

func (s *Service) decrypt(ctx context.Context, call awsapi.Call) (any, error) {
	var in encryptInput
	if err := call.Decode(&in); err != nil {
		return nil, err
	}
	id, err := keyOf(in.CiphertextBlob)
	if err != nil {
		return nil, awsapi.Refuse("InvalidCiphertextException", "")
	}
	named := in.KeyID
	if named == "" {
		in.KeyID = id
	}
	key, err := s.usable(ctx, call, in)
	if err != nil {
		return nil, err
	}
	if key.ID != id {
		return nil, awsapi.Refuse("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
	}
	plaintext, err := s.material.open(in.CiphertextBlob, in.EncryptionContext)
	if errors.Is(err, errInvalid) {
		return nil, awsapi.Refuse("InvalidCiphertextException", "")
	}
	if err != nil {
		return nil, err
	}
	return map[string]any{"Plaintext": plaintext, "KeyId": key.ARN, "EncryptionAlgorithm": algorithm}, nil
}

func (s *Service) generateDataKey(ctx context.Context, call awsapi.Call) (any, error) {
	var in encryptInput
	if err := call.Decode(&in); err != nil {
		return nil, err
	}
	size := in.NumberOfBytes
	if in.KeySpec == "AES_256" {
		size = 32
	}
	if size < 1 || size > 1024 {
		return nil, awsapi.Refuse("ValidationException", "the simulated KMS wants KeySpec AES_256, or NumberOfBytes from 1 to 1024")
	}
	key, err := s.usable(ctx, call, in)
	if err != nil {
		return nil, err
	}
	plaintext := make([]byte, size)
	if _, err := rand.Read(plaintext); err != nil {
		return nil, err
	}
	blob, err := s.material.seal(key.ID, plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Plaintext": plaintext, "CiphertextBlob": blob, "KeyId": key.ARN}, nil
}

// usable is key for calls that use the key, which has to be enabled.
func (s *Service) usable(ctx context.Context, call awsapi.Call, in encryptInput) (account.Key, error) {
	if in.EncryptionAlgorithm != "" && in.EncryptionAlgorithm != algorithm {
		return account.Key{}, awsapi.Refuse("ValidationException", "the simulated KMS knows the algorithm %s only, not %q", algorithm, in.EncryptionAlgorithm)
	}
	key, err := s.key(ctx, call, in.KeyID, in.EncryptionContext)
	if err == nil && !key.Enabled {
		err = awsapi.Refuse("DisabledException", "%s is disabled.", key.ARN)
	}
	return key, err
}

// key finds the key of a call, after injected faults and the policies.
func (s *Service) key(ctx context.Context, call awsapi.Call, reference string, encryption map[string]string) (account.Key, error) {
	if err := s.account.Strike(ctx, "kms:"+call.Action); err != nil {
		return account.Key{}, serviceError(err)
	}
	if reference == "" {
		return account.Key{}, awsapi.Refuse("ValidationException", "'keyId' must not be empty")
	}
	key, err := s.account.Key(reference, call.Region)
	if err != nil {
		return account.Key{}, serviceError(err)
	}
	return key, s.authorize(call.Caller, "kms:"+call.Action, key, conditions(encryption))
}

func (s *Service) authorize(caller awsapi.Caller, action string, key account.Key, conditions map[string]string) error {
	err := s.account.Authorize(account.Principal{ARN: caller.ARN, Role: caller.Role}, account.Access{
		Action: action, Resource: key.ARN, ResourcePolicy: key.Policy, PolicyRequired: true, Context: conditions,
	})
	return serviceError(err)
}

func conditions(encryption map[string]string) map[string]string {
	keys := map[string]string{"kms:calleraccount": account.AccountID, "aws:principalaccount": account.AccountID}
	for name, value := range encryption {
		keys["kms:encryptioncontext:"+strings.ToLower(name)] = value
	}
	return keys
}

// Using is what another service of AWS does with a key in the name of its
// caller: the caller's policies decide, and see which service it is.
type Using struct {
	Service *Service
	// Via is the service: "secretsmanager".
	Via string
}

// Encrypt encrypts for call's caller, who needs kms:GenerateDataKey, as services
// of AWS encrypt with a data key.
func (u Using) Encrypt(ctx context.Context, call awsapi.Call, keyID string, plaintext []byte, encryption map[string]string) ([]byte, error) {
	key, err := u.key(ctx, call, "kms:GenerateDataKey", keyID, encryption)
	if err != nil {
		return nil, err
	}
	return u.Service.material.seal(key.ID, plaintext, encryption)
}

// Decrypt decrypts for call's caller, who needs kms:Decrypt.
func (u Using) Decrypt(ctx context.Context, call awsapi.Call, keyID string, blob []byte, encryption map[string]string) ([]byte, error) {
	if _, err := u.key(ctx, call, "kms:Decrypt", keyID, encryption); err != nil {
		return nil, err
	}
	return u.Service.material.open(blob, encryption)
}

// ownKey stands for the key that AWS itself keeps for a service: everyone in the
// account may use it through that service.
const ownKey = "00000000-0000-0000-0000-000000000001"

func (u Using) key(ctx context.Context, call awsapi.Call, action, keyID string, encryption map[string]string) (account.Key, error) {
	if err := u.Service.account.Strike(ctx, action); err != nil {
		return account.Key{}, serviceError(err)
	}
	if keyID == "" {
		return account.Key{ID: ownKey}, nil
	}
	key, err := u.Service.account.Key(keyID, call.Region)
	if err != nil {
		return account.Key{}, serviceError(err)
	}
	if !key.Enabled {
		return account.Key{}, awsapi.Refuse("DisabledException", "%s is disabled.", key.ARN)
	}
	keys := conditions(encryption)
	keys["kms:viaservice"] = u.Via + "." + call.Region + ".amazonaws.com"
	return key, u.Service.authorize(call.Caller, action, key, keys)
}

// serviceError is an error of the account as KMS answers it.
func serviceError(err error) error { return awsapi.OfAccount(err, "KMSInternalException") }
