package verify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/vault/api"
)

// try logs in and notes how it went. Where it must work, the token is used for what its
// policy allows and for what it does not.
func (r *run) try(ctx context.Context, l Login, stack Stack, workload string, data map[string]any) (Login, error) {
	mount, role := stack.login(workload)
	l.At = "auth/" + mount + " as " + role
	auth, refusal, err := r.login(ctx, stack, workload, data)
	switch {
	case err != nil:
		return l, err
	case refusal != "":
		l.OK, l.Outcome = l.MustBeRefused, "refused: "+refusal
	case l.MustBeRefused:
		l.Outcome = "LET IN"
	default:
		l.Outcome, l.OK, err = r.use(ctx, auth, workload)
		err = errors.Join(err, r.ops.Revoke(ctx, auth.ClientToken))
	}
	return l, err
}

// login logs in as a workload; refusal is why Vault does not let it in.
func (r *run) login(ctx context.Context, stack Stack, workload string, data map[string]any) (auth *api.SecretAuth, refusal string, err error) {
	mount, role := stack.login(workload)
	if mount == "" {
		return nil, "", fmt.Errorf("no stack has a login for the workload %q: bring both up with `strongroom sandbox up`", workload)
	}
	data["role"] = role
	anybody, err := r.as("")
	if err != nil {
		return nil, "", err
	}
	answer, err := anybody.Logical().WriteWithContext(ctx, "auth/"+mount+"/login", data)
	var refused *api.ResponseError
	switch {
	case errors.As(err, &refused) && (refused.StatusCode == http.StatusForbidden || refused.StatusCode == http.StatusBadRequest):
		return nil, oneLine(refused.Errors), nil
	case err != nil:
		return nil, "", fmt.Errorf("log in at auth/%s as %s: %w", mount, role, err)
	case answer == nil || answer.Auth == nil:
		return nil, "", fmt.Errorf("log in at auth/%s as %s: Vault answered without a token", mount, role)
	}
	return answer.Auth, "", nil
}

// use writes and reads what the policy of the workload allows, and tries what belongs to
// another.
func (r *run) use(ctx context.Context, auth *api.SecretAuth, workload string) (outcome string, ok bool, err error) {
	client, err := r.as(auth.ClientToken)
	if err != nil {
		return "", false, err
	}
	name := strings.TrimPrefix(workload, prefix)
	own := "secret/data/sandbox/" + name
	want := auth.Accessor // nothing secret, and another one each time
	if _, err := client.Logical().WriteWithContext(ctx, own, map[string]any{"data": map[string]any{"value": want}}); err != nil {
		return fmt.Sprintf("let in, but may not write secret/sandbox/%s: %v", name, err), false, nil
	}
	held, err := client.Logical().ReadWithContext(ctx, own)
	if err != nil {
		return fmt.Sprintf("let in, but may not read secret/sandbox/%s: %v", name, err), false, nil
	}
	if data, _ := held.Data["data"].(map[string]any); data["value"] != want {
		return fmt.Sprintf("let in, but read something else from secret/sandbox/%s than it wrote", name), false, nil
	}
	_, err = client.Logical().ReadWithContext(ctx, "secret/data/ci/gitlab-runner")
	var refused *api.ResponseError
	if !errors.As(err, &refused) || refused.StatusCode != http.StatusForbidden {
		return fmt.Sprintf("let in, and could ask for another's secret: expected 403, got %v", err), false, nil
	}
	policies := slices.DeleteFunc(slices.Clone(auth.TokenPolicies), func(p string) bool { return p == "default" })
	return fmt.Sprintf("let in with the policy %s; wrote and read secret/sandbox/%s, refused at secret/ci/gitlab-runner",
		strings.Join(policies, ", "), name), true, nil
}

// oneLine is the last thing that Vault said, which is the reason.
func oneLine(errs []string) string {
	lines := strings.Split(strings.TrimSpace(strings.Join(errs, "; ")), "\n")
	if last := strings.Trim(lines[len(lines)-1], "\t *"); last != "" {
		return last
	}
	return "without a reason"
}

// appRole logs in with a role id and a secret id, as an operator hands them out.
func (r *run) appRole(ctx context.Context) ([]Login, error) {
	const workload = prefix + "appliance"
	mount, role := r.Tooling.login(workload)
	at := "auth/" + mount + "/role/" + role
	id, err := r.operator.Logical().ReadWithContext(ctx, at+"/role-id")
	if err != nil || id == nil {
		return nil, errors.Join(fmt.Errorf("role id of %s", role), err)
	}
	secret, err := r.operator.Logical().WriteWithContext(ctx, at+"/secret-id", nil)
	if err != nil || secret == nil {
		return nil, errors.Join(fmt.Errorf("secret id of %s", role), err)
	}
	credentials := func() map[string]any {
		return map[string]any{"role_id": id.Data["role_id"], "secret_id": secret.Data["secret_id"]}
	}
	good, err := r.try(ctx, Login{Method: "AppRole", Who: "a machine with a role id and a secret id"}, r.Tooling, workload, credentials())
	if err != nil {
		return nil, err
	}
	bad, err := r.try(ctx, Login{Method: "AppRole", Who: "the same secret id again", MustBeRefused: true}, r.Tooling, workload, credentials())
	return []Login{good, bad}, err
}

// iam logs in as an IAM role of the simulated account.
func (r *run) iam(ctx context.Context) ([]Login, error) {
	const workload, simulated = prefix + "backup", "AWS with its STS"
	tries := []struct {
		l        Login
		stranger bool
		serverID string
	}{
		{Login{Who: "the IAM role sandbox-backup"}, false, r.ServerName},
		{Login{Who: "the IAM user sandbox-stranger", MustBeRefused: true}, true, r.ServerName},
		{Login{Who: "sandbox-backup, signed for another server", MustBeRefused: true}, false, "elsewhere.internal"},
	}
	var all []Login
	for _, t := range tries {
		credentials := r.Backup
		if t.stranger {
			credentials = r.Stranger
		}
		data, err := IAMLogin(ctx, credentials, r.Region, t.serverID)
		if err != nil {
			return nil, err
		}
		t.l.Method, t.l.Simulated = "AWS IAM", simulated
		l, err := r.try(ctx, t.l, r.Tooling, workload, data)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

// gitlab logs in as CI jobs of a GitLab that does not exist.
func (r *run) gitlab(ctx context.Context) ([]Login, error) {
	const workload = prefix + "deploy"
	mount, _ := r.Tooling.login(workload)
	config, err := r.operator.Logical().ReadWithContext(ctx, "auth/"+mount+"/config")
	if err != nil || config == nil {
		return nil, errors.Join(errors.New("configuration of the login of GitLab jobs"), err)
	}
	issuer, _ := config.Data["bound_issuer"].(string)
	if u, err := url.Parse(issuer); err != nil || u.Host == "" {
		return nil, fmt.Errorf("the login of GitLab jobs has the issuer %q: expected a URL", issuer)
	}
	job := Job{Issuer: issuer, Audience: r.Address, Project: "shop/deploy", Branch: "main"}
	tries := []struct {
		l      Login
		claims map[string]any
	}{
		{Login{Who: "a CI job of shop/deploy, protected branch main"}, nil},
		{Login{Who: "a CI job of another project", MustBeRefused: true}, map[string]any{"project_path": "shop/other"}},
		{Login{Who: "the same job, branch not protected", MustBeRefused: true}, map[string]any{"ref_protected": "false"}},
	}
	var all []Login
	for _, t := range tries {
		token, err := job.Token(r.GitLab, t.claims)
		if err != nil {
			return nil, err
		}
		t.l.Method, t.l.Simulated = "GitLab jwt", "GitLab: the sandbox signs with a key of its own"
		l, err := r.try(ctx, t.l, r.Tooling, workload, map[string]any{"jwt": token})
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}
