// Package secretsmanager is the data plane of the simulated account's Secrets
// Manager: reading and writing the values of secrets that the account has.
//
// Values are encrypted under the secret's KMS key with the secret's ARN as
// encryption context, and the caller needs the rights on that key too, as in AWS.
// Labels move as Secrets Manager moves them.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html
package secretsmanager

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/awsapi"
	"github.com/strongroom-platform/strongroom/sandbox/kms"
)

// Scope is the service's name in a signature.
const Scope = "secretsmanager"

// maxValue is the limit of Secrets Manager, in bytes.
const maxValue = 65536

// Account is what Secrets Manager asks the account.
type Account interface {
	Secret(reference, region string) (account.Secret, error)
	Authorize(who account.Principal, access account.Access) error
	Strike(ctx context.Context, call string) error
}

// Service is the simulated Secrets Manager of an account.
type Service struct {
	account Account
	keys    kms.Using
	dir     string
	mu      sync.Mutex
	now     func() time.Time
}

// New returns the Secrets Manager of an account that is kept in dir.
func New(a Account, keys *kms.Service, dir string) *Service {
	return &Service{account: a, keys: kms.Using{Service: keys, Via: Scope}, dir: filepath.Join(dir, "secrets"), now: time.Now}
}

// Handler serves it.
func (s *Service) Handler(credentials awsapi.Credentials, log *slog.Logger) http.Handler {
	return &awsapi.JSON{Name: Scope, Target: Scope, Credentials: credentials, Log: log, Operations: map[string]awsapi.Operation{
		"DescribeSecret":           s.describe,
		"GetSecretValue":           s.get,
		"PutSecretValue":           s.put,
		"UpdateSecretVersionStage": s.move,
	}}
}

// payload is what is encrypted.
type payload struct {
	String *string `json:"string,omitempty"`
	Binary []byte  `json:"binary,omitempty"`
}

func (s *Service) describe(ctx context.Context, call awsapi.Call) (any, error) {
	var in struct {
		SecretID string `json:"SecretId"`
	}
	secret, err := s.secret(ctx, call, &in, &in.SecretID)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, err := s.load(secret.ARN)
	if err != nil {
		return nil, err
	}
	stages := map[string][]string{}
	for _, v := range stored.Versions {
		stages[v.ID] = v.Stages
	}
	out := map[string]any{"ARN": secret.ARN, "Name": secret.Name, "Description": secret.Description, "VersionIdsToStages": stages}
	if secret.KeyID != "" {
		out["KmsKeyId"] = secret.KeyID
	}
	return out, nil
}

func (s *Service) get(ctx context.Context, call awsapi.Call) (any, error) {
	var in struct {
		SecretID     string `json:"SecretId"`
		VersionID    string `json:"VersionId"`
		VersionStage string `json:"VersionStage"`
	}
	secret, err := s.secret(ctx, call, &in, &in.SecretID)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, err := s.load(secret.ARN)
	if err != nil {
		return nil, err
	}
	stage := in.VersionStage
	if stage == "" {
		stage = current
	}
	found := stored.byStage(stage)
	if in.VersionID != "" {
		found = stored.byID(in.VersionID)
	}
	if found == nil {
		return nil, awsapi.Refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: %s", stage)
	}
	value, err := s.decrypt(ctx, call, secret, found)
	if err != nil {
		return nil, err
	}
	out := map[string]any{
		"ARN": secret.ARN, "Name": secret.Name, "VersionId": found.ID, "VersionStages": found.Stages,
		"CreatedDate": float64(found.Created.UnixMilli()) / 1000,
	}
	if value.String != nil {
		out["SecretString"] = *value.String
	} else {
		out["SecretBinary"] = value.Binary
	}
	return out, nil
}

func (s *Service) put(ctx context.Context, call awsapi.Call) (any, error) {
	var in struct {
		SecretID           string   `json:"SecretId"`
		ClientRequestToken string   `json:"ClientRequestToken"`
		SecretString       *string  `json:"SecretString"`
		SecretBinary       []byte   `json:"SecretBinary"`
		VersionStages      []string `json:"VersionStages"`
	}
	secret, err := s.secret(ctx, call, &in, &in.SecretID)
	if err != nil {
		return nil, err
	}
	value := payload{String: in.SecretString, Binary: in.SecretBinary}
	switch {
	case (value.String == nil) == (value.Binary == nil):
		return nil, awsapi.Refuse("InvalidParameterException", "You must provide either SecretString or SecretBinary.")
	case value.String != nil && len(*value.String) > maxValue || len(value.Binary) > maxValue:
		return nil, awsapi.Refuse("ValidationException", "a secret value has at most %d bytes", maxValue)
	}
	if in.ClientRequestToken == "" {
		in.ClientRequestToken = uuid.NewString()
	}
	if len(in.VersionStages) == 0 {
		in.VersionStages = []string{current}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, err := s.load(secret.ARN)
	if err != nil {
		return nil, err
	}
	if same := stored.byID(in.ClientRequestToken); same != nil {
		return s.repeated(ctx, call, secret, same, value)
	}
	made, err := s.encrypt(ctx, call, secret, in.ClientRequestToken, value)
	if err != nil {
		return nil, err
	}
	stages := in.VersionStages
	if len(stored.Versions) == 0 && !slices.Contains(stages, current) {
		// The first version of a secret is the current one, whatever is asked for.
		stages = append(stages, current)
	}
	// Room for it first: pointers into the list must stay good.
	stored.Versions = append(stored.Versions, made)
	for _, stage := range stages {
		stored.label(stored.byID(made.ID), stage)
	}
	stored.prune()
	if err := s.save(stored); err != nil {
		return nil, err
	}
	return map[string]any{"ARN": secret.ARN, "Name": secret.Name, "VersionId": made.ID, "VersionStages": stages}, nil
}

// repeated answers a request that was made before: the same is no change,
// another value under the same token is refused.
func (s *Service) repeated(ctx context.Context, call awsapi.Call, secret account.Secret, same *version, value payload) (any, error) {
	former, err := s.decrypt(ctx, call, secret, same)
	if err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(former, value) {
		return nil, awsapi.Refuse("ResourceExistsException", "A resource with the ID you requested already exists.")
	}
	return map[string]any{"ARN": secret.ARN, "Name": secret.Name, "VersionId": same.ID, "VersionStages": same.Stages}, nil
}

func (s *Service) move(ctx context.Context, call awsapi.Call) (any, error) {
	var in struct {
		SecretID            string `json:"SecretId"`
		VersionStage        string `json:"VersionStage"`
		RemoveFromVersionID string `json:"RemoveFromVersionId"`
		MoveToVersionID     string `json:"MoveToVersionId"`
	}
	secret, err := s.secret(ctx, call, &in, &in.SecretID)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, err := s.load(secret.ARN)
	if err != nil {
		return nil, err
	}
	holder, target := stored.byStage(in.VersionStage), stored.byID(in.MoveToVersionID)
	switch {
	case in.MoveToVersionID != "" && target == nil, in.RemoveFromVersionID != "" && stored.byID(in.RemoveFromVersionID) == nil:
		return nil, awsapi.Refuse("ResourceNotFoundException", "Secrets Manager can't find the specified version.")
	case holder != nil && holder != target && holder.ID != in.RemoveFromVersionID:
		return nil, awsapi.Refuse("InvalidParameterException", "The label %s is attached to version %s: name it as RemoveFromVersionId", in.VersionStage, holder.ID)
	case in.VersionStage == current && target == nil:
		return nil, awsapi.Refuse("InvalidParameterException", "You can't remove %s: move it to another version", current)
	}
	if target == nil && holder != nil {
		holder.Stages = without(holder.Stages, in.VersionStage)
	} else if target != nil {
		stored.label(target, in.VersionStage)
	}
	stored.prune()
	if err := s.save(stored); err != nil {
		return nil, err
	}
	return map[string]any{"ARN": secret.ARN, "Name": secret.Name}, nil
}

// secret reads a call and finds its secret, after injected faults and the
// policies.
func (s *Service) secret(ctx context.Context, call awsapi.Call, in any, id *string) (account.Secret, error) {
	if err := call.Decode(in); err != nil {
		return account.Secret{}, err
	}
	action := Scope + ":" + call.Action
	if err := s.account.Strike(ctx, action); err != nil {
		return account.Secret{}, serviceError(err)
	}
	secret, err := s.account.Secret(*id, call.Region)
	if err != nil {
		return account.Secret{}, serviceError(err)
	}
	err = s.account.Authorize(account.Principal{ARN: call.Caller.ARN, Role: call.Caller.Role}, account.Access{
		Action: action, Resource: secret.ARN, ResourcePolicy: secret.Policy,
	})
	return secret, serviceError(err)
}

func (s *Service) encrypt(ctx context.Context, call awsapi.Call, secret account.Secret, id string, value payload) (version, error) {
	plaintext, err := json.Marshal(value)
	if err != nil {
		return version{}, err
	}
	blob, err := s.keys.Encrypt(ctx, call, secret.KeyID, plaintext, map[string]string{"SecretARN": secret.ARN})
	if err != nil {
		return version{}, err
	}
	return version{ID: id, Created: s.now().UTC(), Value: blob, KeyID: secret.KeyID}, nil
}

func (s *Service) decrypt(ctx context.Context, call awsapi.Call, secret account.Secret, v *version) (payload, error) {
	plaintext, err := s.keys.Decrypt(ctx, call, v.KeyID, v.Value, map[string]string{"SecretARN": secret.ARN})
	if err != nil {
		return payload{}, err
	}
	var value payload
	if err := json.Unmarshal(plaintext, &value); err != nil {
		return payload{}, err
	}
	return value, nil
}

// serviceError is an error of the account as Secrets Manager answers it.
func serviceError(err error) error { return awsapi.OfAccount(err, "InternalServiceError") }
