package iampolicy

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const keyARN = "arn:aws:kms:eu-central-1:123456789012:key/1234"

// text renders a document whose values are all plain.
func text(t rapid.TB, d Document, kind Kind) (string, error) {
	t.Helper()
	if err := d.Validate(kind); err != nil {
		return "", err
	}
	var values []string
	for _, input := range d.inputs() {
		plain, ok := input.(pulumi.String)
		if !ok {
			t.Fatalf("%T is not plain", input)
		}
		values = append(values, string(plain))
	}
	return render(kind, d.Statements, values)
}

func decrypt() Statement {
	return Statement{Sid: "Decrypt", Actions: []string{"kms:Decrypt"}, Resources: []pulumi.StringInput{pulumi.String(keyARN)}}
}

func TestRender(t *testing.T) {
	tests := []struct {
		name string
		kind Kind
		doc  Document
		want string
	}{
		{
			"identity", Identity, Document{Statements: []Statement{decrypt()}},
			`{"Version":"2012-10-17","Statement":[{"Sid":"Decrypt","Effect":"Allow","Action":["kms:Decrypt"],"Resource":["` + keyARN + `"]}]}`,
		},
		{
			"trust with conditions", Trust,
			PodIdentityTrust(pulumi.String("tooling"), "vault", "vault-server"),
			`{"Version":"2012-10-17","Statement":[{"Sid":"EksPodIdentity","Effect":"Allow","Principal":{"Service":["pods.eks.amazonaws.com"]},` +
				`"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{` +
				`"aws:RequestTag/eks-cluster-name":["tooling"],"aws:RequestTag/kubernetes-namespace":["vault"],` +
				`"aws:RequestTag/kubernetes-service-account":["vault-server"]}}}]}`,
		},
		{
			"trust of a service", Trust, ServiceTrust("ec2.amazonaws.com"),
			`{"Version":"2012-10-17","Statement":[{"Sid":"Service","Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com"]},"Action":["sts:AssumeRole"]}]}`,
		},
		{
			"resource policy with a reason for any resource", Resource,
			Document{Statements: []Statement{{
				Sid: "Admin", Principals: []Principal{Principals(pulumi.String("arn:aws:iam::123456789012:root"))},
				Actions: []string{"kms:Describe*"}, AnyResource: "the key itself",
			}}},
			`{"Version":"2012-10-17","Statement":[{"Sid":"Admin","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:root"]},"Action":["kms:Describe*"],"Resource":["*"]}]}`,
		},
		{
			"a deny may be broad", Resource,
			Document{Statements: []Statement{{
				Sid: "TLSOnly", Effect: Deny, Principals: []Principal{Principals(pulumi.String("*"))}, Actions: []string{"s3:*"},
				Resources:  []pulumi.StringInput{pulumi.String("arn:aws:s3:::snapshots"), pulumi.String("arn:aws:s3:::snapshots/*")},
				Conditions: []Condition{{Operator: "Bool", Key: "aws:SecureTransport", Values: []pulumi.StringInput{pulumi.String("false")}}},
			}}},
			`{"Version":"2012-10-17","Statement":[{"Sid":"TLSOnly","Effect":"Deny","Principal":{"AWS":["*"]},"Action":["s3:*"],` +
				`"Resource":["arn:aws:s3:::snapshots","arn:aws:s3:::snapshots/*"],"Condition":{"Bool":{"aws:SecureTransport":["false"]}}}]}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := text(t, test.doc, test.kind)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestValidate(t *testing.T) {
	principal := []Principal{Services("ec2.amazonaws.com")}
	// change applies to a valid statement of the kind.
	valid := map[Kind]Statement{
		Identity: decrypt(),
		Trust:    {Sid: "Trust", Actions: []string{"sts:AssumeRole"}, Principals: principal},
		Resource: {Sid: "Key", Actions: []string{"kms:Decrypt"}, Principals: principal, AnyResource: "the key itself"},
	}
	tests := []struct {
		name   string
		kind   Kind
		change func(*Statement)
		want   string
	}{
		{"no sid", Identity, func(s *Statement) { s.Sid = "" }, `statement 0 has the Sid ""`},
		{"sid with a space", Identity, func(s *Statement) { s.Sid = "a b" }, `Sid "a b"`},
		{"effect", Identity, func(s *Statement) { s.Effect = "allow" }, `effect "allow" is unknown`},
		{"no actions", Identity, func(s *Statement) { s.Actions = nil }, "no actions"},
		{"every action", Identity, func(s *Statement) { s.Actions = []string{"*"} }, `action "*"`},
		{"whole service", Identity, func(s *Statement) { s.Actions = []string{"kms:*"} }, `action "kms:*" allows a whole service`},
		{"action without a service", Identity, func(s *Statement) { s.Actions = []string{"Decrypt"} }, `action "Decrypt" is not of the form`},
		{"any resource without a reason", Identity, func(s *Statement) { s.Resources = []pulumi.StringInput{pulumi.String("*")} }, `resource "*": name the ARN`},
		{"blank reason", Identity, func(s *Statement) { s.Resources, s.AnyResource = nil, " " }, "reason for any resource is blank"},
		{"reason and resources", Identity, func(s *Statement) { s.AnyResource = "because" }, "give one of them"},
		{"no resources", Identity, func(s *Statement) { s.Resources = nil }, "no resources"},
		{"nil resource", Identity, func(s *Statement) { s.Resources = []pulumi.StringInput{nil} }, "resource 0 is nil"},
		{"not an arn", Identity, func(s *Statement) { s.Resources = []pulumi.StringInput{pulumi.String("my-bucket")} }, `resource "my-bucket" is not an ARN`},
		{"all of a service", Identity, func(s *Statement) { s.Resources = []pulumi.StringInput{pulumi.String("arn:aws:s3:::*")} }, "everything of a service"},
		{"all services", Identity, func(s *Statement) { s.Resources = []pulumi.StringInput{pulumi.String("arn:aws:*:eu-central-1:1:x")} }, "everything of a service"},
		{"principals in an identity policy", Identity, func(s *Statement) { s.Principals = principal }, "has no principals"},
		{"resources in a trust policy", Trust, func(s *Statement) { s.AnyResource = "why" }, "a trust policy has no resources"},
		{"action in a trust policy", Trust, func(s *Statement) { s.Actions = []string{"kms:Decrypt"} }, "use actions of sts"},
		{"no principals", Trust, func(s *Statement) { s.Principals = nil }, "it has no principals"},
		{"principal type", Trust, func(s *Statement) { s.Principals = []Principal{{Type: "User"}} }, `principal type "User" is unknown`},
		{"principal without identifiers", Trust, func(s *Statement) { s.Principals = []Principal{Services()} }, "has no identifiers"},
		{"principal twice", Trust, func(s *Statement) { s.Principals = append(principal, principal...) }, "given twice"},
		{"nil principal", Trust, func(s *Statement) { s.Principals = []Principal{Principals(nil)} }, "is nil"},
		{"anyone", Resource, func(s *Statement) { s.Principals = []Principal{Principals(pulumi.String("*"))} }, `principal "*" lets in anyone`},
		{"condition operator", Identity, func(s *Statement) { s.Conditions = []Condition{{Operator: "=", Key: "aws:x"}} }, `operator "="`},
		{"condition key", Identity, func(s *Statement) { s.Conditions = []Condition{{Operator: "Bool", Key: "x"}} }, `key "x"`},
		{"condition without values", Identity, func(s *Statement) { s.Conditions = []Condition{StringEquals("aws:x")} }, "has no values"},
		{"condition with nil", Identity, func(s *Statement) { s.Conditions = []Condition{StringEquals("aws:x", nil)} }, "value 0 is nil"},
		{"condition twice", Identity, func(s *Statement) {
			c := StringEquals("aws:x", pulumi.String("y"))
			s.Conditions = []Condition{c, c}
		}, "given twice"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := valid[test.kind]
			require.NoError(t, Document{Statements: []Statement{s}}.Validate(test.kind), "the statement before the change")
			test.change(&s)
			err := Document{Statements: []Statement{s}}.Validate(test.kind)
			assert.ErrorContains(t, err, test.want)
		})
	}
	assert.ErrorContains(t, Document{}.Validate(Identity), "no statements")
	assert.ErrorContains(t, Document{Statements: []Statement{decrypt()}}.Validate("policy"), `kind "policy" is unknown`)
	assert.ErrorContains(t, Document{Statements: []Statement{decrypt(), decrypt()}}.Validate(Identity), `two statements have the Sid "Decrypt"`)
}

// A value that comes from another resource is checked as soon as it is known.
func TestRenderChecksLateValues(t *testing.T) {
	s := Statement{Sid: "Late", Actions: []string{"kms:Decrypt"}, Resources: []pulumi.StringInput{pulumi.String("x")}}
	for _, value := range []string{"*", "", "vault", "arn:aws:kms:::*"} {
		_, err := render(Identity, []Statement{s}, []string{value})
		assert.ErrorContains(t, err, `statement "Late": resource`, "value %q", value)
	}
	trust := Statement{Sid: "Late", Actions: []string{"sts:AssumeRole"}, Principals: []Principal{Principals(pulumi.String("x"))}}
	for _, value := range []string{"*", ""} {
		_, err := render(Trust, []Statement{trust}, []string{value})
		assert.ErrorContains(t, err, `statement "Late"`, "value %q", value)
	}
}

func TestRenderRefusesWhatIsTooLong(t *testing.T) {
	d := PodIdentityTrust(pulumi.String(strings.Repeat("x", 2048)), "vault", "vault")
	_, err := text(t, d, Trust)
	assert.ErrorContains(t, err, "AWS takes at most 2048")
}

// Whatever the document: it is JSON that says the same, and it has "*" only
// where a reason was given.
func TestRenderProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.StringMatching(`[a-z<>&"']{1,12}`)
		count := rapid.IntRange(1, 5).Draw(t, "statements")
		var d Document
		reasons := map[string]bool{}
		for i := range count {
			sid := "S" + strings.Repeat("x", i)
			s := Statement{Sid: sid, Effect: rapid.SampledFrom([]Effect{"", Allow, Deny}).Draw(t, "effect")}
			s.Actions = rapid.SliceOfN(rapid.StringMatching(`(kms|s3|sts):[A-Z][a-z]{2,8}\*?`), 1, 3).Draw(t, "actions")
			if rapid.Bool().Draw(t, "any") {
				s.AnyResource = "a reason"
				reasons[sid] = true
			} else {
				for _, r := range rapid.SliceOfN(words, 1, 4).Draw(t, "resources") {
					s.Resources = append(s.Resources, pulumi.String("arn:aws:s3:::"+r))
				}
			}
			if rapid.Bool().Draw(t, "condition") {
				s.Conditions = []Condition{StringEquals("aws:Tag", pulumi.String(words.Draw(t, "value")))}
			}
			d.Statements = append(d.Statements, s)
		}
		got, err := text(t, d, Identity)
		if err != nil {
			t.Fatal(err)
		}
		var back documentJSON
		if err := json.Unmarshal([]byte(got), &back); err != nil {
			t.Fatalf("%v: %s", err, got)
		}
		if len(back.Statement) != count {
			t.Fatalf("%d statements became %d", count, len(back.Statement))
		}
		for i, s := range back.Statement {
			want := d.Statements[i]
			if s.Sid != want.Sid || strings.Join(s.Action, " ") != strings.Join(want.Actions, " ") {
				t.Fatalf("statement %d: %+v became %+v", i, want, s)
			}
			if (len(s.Resource) == 1 && s.Resource[0] == "*") != reasons[s.Sid] {
				t.Fatalf("statement %q: resources %q, reason given: %t", s.Sid, s.Resource, reasons[s.Sid])
			}
			for j, r := range want.Resources {
				if s.Resource[j] != string(r.(pulumi.String)) {
					t.Fatalf("resource %q became %q", r, s.Resource[j])
				}
			}
		}
	})
}
