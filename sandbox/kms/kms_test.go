package kms_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/awsapi"
	"github.com/strongroom-platform/strongroom/sandbox/awsapi/awsapitest"
	"github.com/strongroom-platform/strongroom/sandbox/kms"
	"github.com/strongroom-platform/strongroom/sandbox/podidentity"
	"github.com/strongroom-platform/strongroom/sandbox/secretsmanager"
)

const region = "eu-central-1"

// world is an account with two keys, and the data planes over it.
type world struct {
	t        *testing.T
	account  *account.Account
	sessions podidentity.Sessions
	keys     *kms.Service
	handler  http.Handler
	unseal   string // ARN of a key
	other    string
	secret   account.Secret
}

func (w *world) Secret(reference, at string) (account.Secret, error) {
	if reference == w.secret.Name {
		return w.secret, nil
	}
	return w.account.Secret(reference, at)
}

func (w *world) Authorize(who account.Principal, access account.Access) error {
	return w.account.Authorize(who, access)
}

func (w *world) Strike(ctx context.Context, call string) error { return w.account.Strike(ctx, call) }

func newWorld(t *testing.T) *world {
	dir := t.TempDir()
	a, err := account.Open(dir, nil, account.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	w := &world{t: t, account: a, keys: kms.New(a, dir)}
	w.unseal, w.other = w.create("aws:kms/key:Key", map[string]any{}), w.create("aws:kms/key:Key", map[string]any{})
	w.secret = account.Secret{
		ARN:  "arn:aws:secretsmanager:" + region + ":" + account.AccountID + ":secret:recovery-AbCdEf",
		Name: "recovery", KeyID: w.unseal,
	}
	log := slog.New(slog.DiscardHandler)
	w.handler = awsapi.Dispatch{
		"kms":            w.keys.Handler(w.credential, log),
		"secretsmanager": secretsmanager.New(w, w.keys, dir).Handler(w.credential, log),
	}
	return w
}

func (w *world) credential(id string) (awsapi.Credential, bool) { return w.sessions.Credential(id) }

func (w *world) create(typ string, inputs map[string]any) (arn string) {
	w.t.Helper()
	_, outputs, err := w.account.Create(context.Background(), account.CreateRequest{Type: typ, Region: region, Inputs: inputs})
	require.NoError(w.t, err)
	arn, _ = outputs["arn"].(string)
	return arn
}

// role makes a role with one policy and a session of it.
func (w *world) role(name, statements string) awsapitest.Caller {
	w.create("aws:iam/role:Role", map[string]any{"name": name, "assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`})
	w.create("aws:iam/rolePolicy:RolePolicy", map[string]any{"role": name, "name": "p", "policy": `{"Version":"2012-10-17","Statement":[` + statements + `]}`})
	c, err := w.sessions.Issue(name, "test")
	require.NoError(w.t, err)
	return awsapitest.Caller{AccessKeyID: c.AccessKeyID, Secret: c.SecretAccessKey, Token: c.Token, Region: region}
}

func allow(actions, resource, condition string) string {
	return `{"Effect":"Allow","Action":[` + actions + `],"Resource":"` + resource + `"` + condition + `}`
}

func (w *world) kms(c awsapitest.Caller, operation string, input map[string]any) (int, map[string]any) {
	w.t.Helper()
	return awsapitest.Call(w.t, w.handler, c, "kms", "TrentService."+operation, input)
}

func TestEncryptAndDecrypt(t *testing.T) {
	w := newWorld(t)
	server := w.role("server", allow(`"kms:Encrypt","kms:Decrypt","kms:DescribeKey"`, w.unseal, ""))
	plaintext := base64.StdEncoding.EncodeToString([]byte("the key of the barrier"))
	in := map[string]any{"KeyId": w.unseal, "Plaintext": plaintext, "EncryptionContext": map[string]string{"a": "1", "b": "2"}}
	status, sealed := w.kms(server, "Encrypt", in)
	require.Equal(t, 200, status, sealed)
	require.Equal(t, w.unseal, sealed["KeyId"])
	blob, err := base64.StdEncoding.DecodeString(sealed["CiphertextBlob"].(string))
	require.NoError(t, err)
	require.NotContains(t, string(blob), "barrier")

	status, opened := w.kms(server, "Decrypt", map[string]any{"CiphertextBlob": blob, "EncryptionContext": map[string]string{"b": "2", "a": "1"}})
	require.Equal(t, 200, status, opened)
	require.Equal(t, plaintext, opened["Plaintext"])

	damaged := append([]byte{}, blob...)
	damaged[len(damaged)-1] ^= 1
	for name, test := range map[string]struct {
		in   map[string]any
		code string
	}{
		"another context":  {map[string]any{"CiphertextBlob": blob, "EncryptionContext": map[string]string{"a": "1"}}, "InvalidCiphertextException"},
		"damaged":          {map[string]any{"CiphertextBlob": damaged, "EncryptionContext": map[string]string{"a": "1", "b": "2"}}, "InvalidCiphertextException"},
		"not one":          {map[string]any{"CiphertextBlob": []byte("hello")}, "InvalidCiphertextException"},
		"an unknown field": {map[string]any{"CiphertextBlob": blob, "DryRun": true}, "SerializationException"},
		"no key":           {map[string]any{"CiphertextBlob": blob, "KeyId": "alias/none"}, "NotFoundException"},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := w.kms(server, "Decrypt", test.in)
			awsapitest.Refused(t, test.code, status, answer)
		})
	}
}

// TestLeastPrivilege: what a role's policy does not name is refused, by name.
func TestLeastPrivilege(t *testing.T) {
	w := newWorld(t)
	server := w.role("server", allow(`"kms:Encrypt","kms:Decrypt","kms:DescribeKey"`, w.unseal, ""))
	initJob := w.role("init", allow(`"secretsmanager:GetSecretValue","secretsmanager:PutSecretValue"`, w.secret.ARN, "")+","+
		allow(`"kms:GenerateDataKey","kms:Decrypt"`, w.unseal, `,"Condition":{"StringEquals":{"kms:ViaService":"secretsmanager.`+region+`.amazonaws.com"}}`))
	_, sealed := w.kms(server, "Encrypt", map[string]any{"KeyId": w.unseal, "Plaintext": []byte("x")})
	decrypt := map[string]any{"CiphertextBlob": sealed["CiphertextBlob"]}

	status, answer := w.kms(initJob, "Decrypt", decrypt)
	awsapitest.Refused(t, "AccessDeniedException", status, answer)
	require.Contains(t, answer["message"], "assumed-role/init/test is not authorized to perform: kms:Decrypt on resource: "+w.unseal)
	status, answer = w.kms(server, "Encrypt", map[string]any{"KeyId": w.other, "Plaintext": []byte("x")})
	awsapitest.Refused(t, "AccessDeniedException", status, answer)
	status, answer = w.kms(server, "GenerateDataKey", map[string]any{"KeyId": w.unseal, "KeySpec": "AES_256"})
	awsapitest.Refused(t, "AccessDeniedException", status, answer)

	put := map[string]any{"SecretId": "recovery", "SecretString": "keys", "ClientRequestToken": "00000000-0000-0000-0000-00000000000a"}
	call := func(c awsapitest.Caller, operation string, in any) (int, map[string]any) {
		return awsapitest.Call(t, w.handler, c, "secretsmanager", "secretsmanager."+operation, in)
	}
	status, answer = call(initJob, "PutSecretValue", put)
	require.Equal(t, 200, status, answer)
	status, answer = call(server, "GetSecretValue", map[string]any{"SecretId": "recovery"})
	awsapitest.Refused(t, "AccessDeniedException", status, answer)

	t.Run("a wrong secret key", func(t *testing.T) {
		forged := server
		forged.Secret = "guessed"
		status, answer := w.kms(forged, "Decrypt", decrypt)
		awsapitest.Refused(t, "SignatureDoesNotMatch", status, answer)
	})
	t.Run("signed for another service", func(t *testing.T) {
		status, answer := awsapitest.Call(t, w.handler, server, "secretsmanager", "TrentService.Decrypt", decrypt)
		awsapitest.Refused(t, "UnknownOperationException", status, answer)
	})
	t.Run("the policy is gone", func(t *testing.T) {
		require.NoError(t, w.account.Delete(context.Background(), "aws:iam/rolePolicy:RolePolicy", "server:p"))
		status, answer := w.kms(server, "Decrypt", decrypt)
		awsapitest.Refused(t, "AccessDeniedException", status, answer)
	})
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	w := newWorld(t)
	server := w.role("server", allow(`"kms:*"`, "*", ""))
	_, sealed := w.kms(server, "Encrypt", map[string]any{"KeyId": w.unseal, "Plaintext": []byte("x")})
	decrypt := map[string]any{"CiphertextBlob": sealed["CiphertextBlob"]}
	status, answer := w.kms(server, "Decrypt", map[string]any{"CiphertextBlob": sealed["CiphertextBlob"], "KeyId": w.other})
	awsapitest.Refused(t, "IncorrectKeyException", status, answer)
	elsewhere := server
	elsewhere.Region = "eu-west-1"
	status, answer = w.kms(elsewhere, "Decrypt", decrypt)
	awsapitest.Refused(t, "NotFoundException", status, answer)

	require.NoError(t, w.account.Faults().Set(account.Fault{Type: "kms:Decrypt", Op: account.OpInvoke, Mode: account.FailAlways}))
	status, answer = w.kms(server, "Decrypt", decrypt)
	awsapitest.Refused(t, "KMSInternalException", status, answer)
	require.Equal(t, http.StatusInternalServerError, status)
	w.account.Faults().Clear()

	id := w.unseal[len(w.unseal)-36:]
	require.NoError(t, w.account.Edit("aws:kms/key:Key", id, func(o *account.Object) { o.Inputs["isEnabled"] = false }))
	status, answer = w.kms(server, "Decrypt", decrypt)
	awsapitest.Refused(t, "DisabledException", status, answer)
	require.NoError(t, w.account.Delete(context.Background(), "aws:kms/key:Key", id))
	status, answer = w.kms(server, "Decrypt", decrypt)
	awsapitest.Refused(t, "NotFoundException", status, answer)
}

// TestSecretVersions: the labels move as Secrets Manager moves them.
func TestSecretVersions(t *testing.T) {
	w := newWorld(t)
	c := w.role("init", allow(`"secretsmanager:*"`, w.secret.ARN, "")+","+allow(`"kms:*"`, w.unseal, ""))
	call := func(operation string, in map[string]any) (int, map[string]any) {
		in["SecretId"] = "recovery"
		return awsapitest.Call(t, w.handler, c, "secretsmanager", "secretsmanager."+operation, in)
	}
	get := func(stage string) any {
		_, answer := call("GetSecretValue", map[string]any{"VersionStage": stage})
		return answer["SecretString"]
	}
	status, answer := call("GetSecretValue", map[string]any{})
	awsapitest.Refused(t, "ResourceNotFoundException", status, answer)

	status, answer = call("PutSecretValue", map[string]any{"SecretString": "probe", "VersionStages": []string{"probe"}})
	require.Equal(t, 200, status, answer)
	require.Equal(t, "probe", get("AWSCURRENT"), "the first version is the current one")
	_, first := call("PutSecretValue", map[string]any{"SecretString": "one"})
	require.Equal(t, []any{"one", "probe", "probe"}, []any{get("AWSCURRENT"), get("AWSPREVIOUS"), get("probe")})
	call("PutSecretValue", map[string]any{"SecretString": "two"})
	call("PutSecretValue", map[string]any{"SecretString": "three"})
	require.Equal(t, []any{"three", "two"}, []any{get("AWSCURRENT"), get("AWSPREVIOUS")})
	status, answer = call("GetSecretValue", map[string]any{"VersionId": first["VersionId"]})
	awsapitest.Refused(t, "ResourceNotFoundException", status, answer)

	token := map[string]any{"SecretString": "four", "ClientRequestToken": "00000000-0000-0000-0000-00000000000b"}
	for range 2 {
		status, answer = call("PutSecretValue", token)
		require.Equal(t, 200, status, answer)
	}
	require.Equal(t, "three", get("AWSPREVIOUS"), "the same request again is no change")
	token["SecretString"] = "five"
	status, answer = call("PutSecretValue", token)
	awsapitest.Refused(t, "ResourceExistsException", status, answer)
	_, described := call("DescribeSecret", map[string]any{})
	text, err := json.Marshal(described)
	require.NoError(t, err)
	require.NotContains(t, string(text), "four")
}
