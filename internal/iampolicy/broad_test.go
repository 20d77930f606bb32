package iampolicy

import (
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// bystanders are things that no policy in these tests is about.
var bystanders = []string{
	"arn:aws:kms:eu-central-1:123456789012:key/bystander",
	"arn:aws:iam::123456789012:role/bystander",
	"arn:aws:secretsmanager:eu-central-1:123456789012:secret:bystander",
	"arn:aws:logs:eu-central-1:123456789012:log-group:/bystander",
	"arn:aws:s3:::bystander",
}

// reaches reports whether a resource of a policy stands for an ARN, by IAM's
// rules: "*" is any text, "?" any character.
func reaches(pattern, arn string) bool {
	form := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile("^" + form + "$").MatchString(arn)
}

// arns draws ARNs in which every part may be a wildcard, and texts that are none.
func arns() *rapid.Generator[string] {
	part := func(known ...string) *rapid.Generator[string] {
		return rapid.SampledFrom(append(known, "*", "?*", "**", ""))
	}
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 9).Draw(t, "none") == 0 {
			return rapid.SampledFrom([]string{"*", "?", "**", "", "arn:*", "arn:aws:*", "arn:aws:kms:*"}).Draw(t, "text")
		}
		return strings.Join([]string{
			"arn", part("aws").Draw(t, "partition"), part("kms", "iam", "secretsmanager", "logs", "s3").Draw(t, "service"),
			part("eu-central-1").Draw(t, "region"), part("123456789012").Draw(t, "account"),
			part("key/own", "key/*", "key*", "key/?*", "role/own", "role/*", "secret:own-*", "secret:*", "secret**", "log-group:*", "own", "own/*").Draw(t, "resource"),
		}, ":")
	})
}

// Whatever is written: what an Allow may do is never for what it does not name,
// whether its resources are known at once or later.
func TestAnAllowNeverReachesBystanders(t *testing.T) {
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		arn := arns().Draw(t, "resource")
		s := Statement{Sid: "Own", Actions: []string{"kms:Decrypt"}, Resources: []pulumi.StringInput{pulumi.String(arn)}}
		early := s.validate(Identity)
		_, late := render(Identity, []Statement{s}, []string{arn})
		if (early == nil) != (late == nil) {
			t.Fatalf("%q: at once %v, later %v", arn, early, late)
		}
		if early != nil {
			return
		}
		accepted++
		for _, bystander := range bystanders {
			if reaches(arn, bystander) {
				t.Fatalf("%q was accepted and stands for %q", arn, bystander)
			}
		}
	})
	require.NotZero(t, accepted, "a check that refuses everything proves nothing")
}

// The check above sees what it is there to see.
func TestReaches(t *testing.T) {
	for _, pattern := range []string{"*", "arn:aws:kms:*:*:key/*", "arn:aws:kms:eu-central-1:123456789012:key*", "arn:aws:kms:eu-central-1:123456789012:key/bystande?"} {
		require.True(t, reaches(pattern, bystanders[0]), pattern)
	}
	require.False(t, reaches("arn:aws:kms:eu-central-1:123456789012:key/own", bystanders[0]))
	require.False(t, reaches("arn:aws:kms:eu-central-1:123456789012:key/own*", bystanders[0]))
}

// No action, however it is written, is a whole service in an Allow.
func TestAnAllowNeverHasAWholeService(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		action := rapid.StringMatching(`(\*|kms|s3)(:(\*{0,3}|[A-Z][a-z]{2,5}\*?))?`).Draw(t, "action")
		s := Statement{Sid: "Own", Actions: []string{action}, Resources: []pulumi.StringInput{pulumi.String(keyARN)}}
		if s.validate(Identity) != nil {
			return
		}
		for _, whole := range []string{"kms:Xyzzyx", "s3:Xyzzyx"} {
			if reaches(action, whole) {
				t.Fatalf("%q was accepted and stands for %q", action, whole)
			}
		}
	})
}

// A role for the pods of one service account is for no others: each of the three
// names is in the conditions, and two roles differ when one of them does.
func TestPodIdentityTrustIsForOneServiceAccount(t *testing.T) {
	names := rapid.StringMatching(`[a-z][a-z0-9-]{0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		cluster, namespace, account := names.Draw(t, "cluster"), names.Draw(t, "namespace"), names.Draw(t, "account")
		got, err := text(t, PodIdentityTrust(pulumi.String(cluster), namespace, account), Trust)
		if err != nil {
			t.Fatal(err)
		}
		for key, name := range map[string]string{
			"eks-cluster-name": cluster, "kubernetes-namespace": namespace, "kubernetes-service-account": account,
		} {
			if want := `"aws:RequestTag/` + key + `":["` + name + `"]`; !strings.Contains(got, want) {
				t.Fatalf("%s is not in %s", want, got)
			}
		}
	})
}
