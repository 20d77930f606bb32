package iampolicy

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// version of the policy language; the older 2008-10-17 has no variables.
const version = "2012-10-17"

// Size limits of AWS in characters, which can not all be raised:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
// and https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html.
var sizeLimits = map[Kind]int{
	Identity: 10240, // all inline policies of a role together
	Trust:    2048,
	Resource: 20480, // a bucket; a key may have 32768
}

// JSON returns the document as AWS takes it: unknown while one of its values
// is, and secret when one of them is.
//
// What only becomes known later is checked then, and fails the resource that
// uses the document.
func (d Document) JSON(kind Kind) (pulumi.StringOutput, error) {
	if err := d.Validate(kind); err != nil {
		return pulumi.StringOutput{}, err
	}
	values := pulumi.StringArray(d.inputs())
	// The caller's slices must not change what is written later.
	statements := append([]Statement(nil), d.Statements...)
	return values.ToStringArrayOutput().ApplyT(func(known []string) (string, error) {
		return render(kind, statements, known)
	}).(pulumi.StringOutput), nil
}

// inputs lists every input of the document in the order in which render takes
// them back.
func (d Document) inputs() []pulumi.StringInput {
	var all []pulumi.StringInput
	for _, s := range d.Statements {
		for _, p := range s.Principals {
			all = append(all, p.IDs...)
		}
		all = append(all, s.Resources...)
		for _, c := range s.Conditions {
			all = append(all, c.Values...)
		}
	}
	return all
}

type documentJSON struct {
	Version   string
	Statement []statementJSON
}

type statementJSON struct {
	Sid       string
	Effect    Effect
	Principal map[PrincipalType][]string     `json:",omitempty"`
	Action    []string                       `json:",omitempty"`
	Resource  []string                       `json:",omitempty"`
	Condition map[string]map[string][]string `json:",omitempty"`
}

// render writes the statements with the values that inputs listed.
func render(kind Kind, statements []Statement, known []string) (string, error) {
	take := func(n int) []string {
		head := known[:n]
		known = known[n:]
		return head
	}
	out := documentJSON{Version: version}
	for _, s := range statements {
		written := statementJSON{Sid: s.Sid, Effect: s.Effect, Action: s.Actions}
		if written.Effect == "" {
			written.Effect = Allow
		}
		for _, p := range s.Principals {
			ids := take(len(p.IDs))
			for _, id := range ids {
				if err := s.checkPrincipal(id); err != nil {
					return "", fmt.Errorf("%s: statement %q: %w", kind, s.Sid, err)
				}
			}
			if written.Principal == nil {
				written.Principal = map[PrincipalType][]string{}
			}
			written.Principal[p.Type] = ids
		}
		written.Resource = take(len(s.Resources))
		for _, arn := range written.Resource {
			if err := s.checkResource(arn); err != nil {
				return "", fmt.Errorf("%s: statement %q: %w", kind, s.Sid, err)
			}
		}
		if s.AnyResource != "" {
			written.Resource = []string{"*"}
		}
		for _, c := range s.Conditions {
			if written.Condition == nil {
				written.Condition = map[string]map[string][]string{}
			}
			if written.Condition[c.Operator] == nil {
				written.Condition[c.Operator] = map[string][]string{}
			}
			written.Condition[c.Operator][c.Key] = take(len(c.Values))
		}
		out.Statement = append(out.Statement, written)
	}

	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	// "<" and "&" are ordinary characters in a policy.
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		return "", fmt.Errorf("%s: %w", kind, err)
	}
	policy := string(bytes.TrimSpace(text.Bytes()))
	if limit := sizeLimits[kind]; len(policy) > limit {
		return "", fmt.Errorf("%s: it has %d characters, AWS takes at most %d: use fewer statements or shorter ones", kind, len(policy), limit)
	}
	return policy, nil
}
