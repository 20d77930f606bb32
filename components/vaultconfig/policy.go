package vaultconfig

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"text/template"
)

//go:embed policies/workload.hcl
var workloadPolicy string

// A Go string in quotes is one of HCL too for what Validate lets through.
var workloadTemplate = template.Must(template.New("workload.hcl").
	Funcs(template.FuncMap{"hcl": strconv.Quote}).Parse(workloadPolicy))

// policyData is what the template is given.
type policyData struct {
	Owner, Name string
	Secrets     []policySecret
	// Credentials is the path of the database user, or empty.
	Credentials string
}

type policySecret struct {
	Data, Metadata, Delete             string
	Capabilities, MetadataCapabilities string
}

// Policy is the policy of a workload: what its entry says, and nothing else.
func (a *Args) Policy(w *Workload) (string, error) {
	data := policyData{Owner: a.Owner, Name: w.Name}
	for _, s := range w.Secrets {
		inside := strings.TrimPrefix(s.Path, a.KVMount+"/")
		p := policySecret{
			// The API of kv-v2 has the kind of access between mount and path:
			// https://developer.hashicorp.com/vault/docs/secrets/kv/kv-v2/upgrade#acl-rules
			Data:                 a.KVMount + "/data/" + inside,
			Metadata:             a.KVMount + "/metadata/" + inside,
			Capabilities:         `"read"`,
			MetadataCapabilities: `"read"`,
		}
		if strings.HasSuffix(inside, "/*") {
			p.MetadataCapabilities = `"list", "read"`
		}
		if s.Write {
			p.Capabilities = `"create", "patch", "read", "update"`
			p.Delete = a.KVMount + "/delete/" + inside
		}
		data.Secrets = append(data.Secrets, p)
	}
	if w.Database != nil {
		data.Credentials = a.DatabaseMount + "/creds/" + a.roleName(w)
	}
	var text strings.Builder
	if err := workloadTemplate.Execute(&text, data); err != nil {
		return "", fmt.Errorf("policy of workload %q: %w", w.Name, err)
	}
	return text.String(), nil
}

// roleName is the name of a workload where all stacks share one space of names.
func (a *Args) roleName(w *Workload) string { return a.Owner + "-" + w.Name }
