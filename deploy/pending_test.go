package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestJudge(t *testing.T) {
	const urn = vpcURN
	found := func(ids ...string) func(context.Context, string, string) ([]string, error) {
		return func(context.Context, string, string) ([]string, error) { return ids, nil }
	}
	for name, c := range map[string]struct {
		typ      string
		custom   bool
		findMade func(context.Context, string, string) ([]string, error)
		recorded []string
		options  Options
		want     verdict
		err      string
	}{
		"found":                    {"aws:ec2/vpc:Vpc", true, found("vpc-1"), nil, Options{}, verdict{adopt: "vpc-1"}, ""},
		"not found":                {"aws:ec2/vpc:Vpc", true, found(), nil, Options{}, verdict{}, ""},
		"found twice":              {"aws:ec2/vpc:Vpc", true, found("vpc-1", "vpc-2"), nil, Options{}, verdict{}, "vpc-1, vpc-2"},
		"look-up fails":            {"aws:ec2/vpc:Vpc", true, func(context.Context, string, string) ([]string, error) { return nil, errors.New("no answer") }, nil, Options{}, verdict{}, "no answer"},
		"no look-up":               {"aws:ec2/vpc:Vpc", true, nil, nil, Options{}, verdict{unknown: true}, ""},
		"no look-up, adopted":      {"aws:ec2/vpc:Vpc", true, nil, nil, Options{Adopt: map[string]string{urn: "vpc-9"}}, verdict{adopt: "vpc-9"}, ""},
		"no look-up, forgotten":    {"aws:ec2/vpc:Vpc", true, nil, nil, Options{Forget: []string{urn}}, verdict{}, ""},
		"the person knows better":  {"aws:ec2/vpc:Vpc", true, found("vpc-1"), nil, Options{Forget: []string{urn}}, verdict{}, ""},
		"component":                {"strongroom:network:Network", false, nil, nil, Options{}, verdict{}, ""},
		"is written over in Vault": {"vault:index/policy:Policy", true, nil, nil, Options{}, verdict{}, ""},
		"is a mount in Vault":      {"vault:jwt/authBackend:AuthBackend", true, nil, nil, Options{}, verdict{unknown: true}, ""},
		"lives in the state alone": {"tls:index/privateKey:PrivateKey", true, nil, nil, Options{}, verdict{}, ""},
		"applied under its name":   {"kubernetes:core/v1:Namespace", true, nil, nil, Options{}, verdict{}, ""},
		"its replacement":          {"aws:ec2/vpc:Vpc", true, found("vpc-1", "vpc-2"), []string{"vpc-1"}, Options{}, verdict{adopt: "vpc-2"}, ""},
		"not yet replaced":         {"aws:ec2/vpc:Vpc", true, found("vpc-1"), []string{"vpc-1"}, Options{}, verdict{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := (&Target{FindMade: c.findMade}).judge(context.Background(), urn, c.typ, c.custom, c.recorded, c.options)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

// An object that had to go before its replacement may have had the same ID.
func TestIDsOf(t *testing.T) {
	s := stateOf(t, `{"resources":[
		{"urn":"a","id":"1"}, {"urn":"a","id":"2","delete":true}, {"urn":"a","id":"3","pendingReplacement":true}, {"urn":"b","id":"4"}]}`)
	assert.Equal(t, []string{"1", "2"}, s.idsOf("a"))
	assert.Empty(t, s.idsOf("c"))
}

func TestUndecidedNamesResourcesAndWayOut(t *testing.T) {
	err := undecided("tooling", []string{vpcURN})
	require.ErrorIs(t, err, ErrPending)
	for _, part := range []string{vpcURN, "--adopt", "--forget", `"tooling"`} {
		assert.ErrorContains(t, err, part)
	}
}

func stateOf(t *testing.T, deployment string) *state {
	t.Helper()
	s := &state{document: map[string]any{}}
	require.NoError(t, json.Unmarshal([]byte(deployment), &s.deployment))
	return s
}

func urnsOf(s *state) []string {
	var urns []string
	for _, r := range s.resources() {
		urn := text(r, "urn")
		if flag(r, "delete") {
			urn += " (to be deleted)"
		}
		urns = append(urns, urn)
	}
	return urns
}

func TestAdopt(t *testing.T) {
	pending := `{"urn":"subnet","custom":true,"type":"aws:ec2/subnet:Subnet","inputs":{"vpcId":"vpc-1"},
		"parent":"network","dependencies":["vpc"],"provider":"aws::4242"}`
	for name, c := range map[string]struct {
		resources string
		want      []string
	}{
		"new": {
			`[{"urn":"aws"},{"urn":"network"},{"urn":"vpc"}]`,
			[]string{"aws", "network", "vpc", "subnet"},
		},
		"replaces the old one, which is still there": {
			`[{"urn":"aws"},{"urn":"network"},{"urn":"vpc"},{"urn":"subnet","id":"subnet-old"},{"urn":"instance","dependencies":["subnet"]}]`,
			[]string{"aws", "network", "vpc", "subnet (to be deleted)", "subnet", "instance"},
		},
		"replaces the old one, which was deleted first": {
			`[{"urn":"aws"},{"urn":"network"},{"urn":"vpc"},{"urn":"subnet","id":"subnet-old","pendingReplacement":true},{"urn":"instance","dependencies":["subnet"]}]`,
			[]string{"aws", "network", "vpc", "subnet", "instance"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := stateOf(t, `{"resources":`+c.resources+`}`)
			var resource map[string]any
			require.NoError(t, json.Unmarshal([]byte(pending), &resource))
			s.adopt(resource, "subnet-1", time.Now())
			assert.Equal(t, c.want, urnsOf(s))
			for _, r := range s.resources() {
				if text(r, "urn") == "subnet" && !flag(r, "delete") {
					assert.Equal(t, "subnet-1", text(r, "id"))
					assert.Equal(t, map[string]any{"vpcId": "vpc-1"}, r["inputs"])
				}
			}
		})
	}
}

// Whatever the dependencies, nothing is lost and nothing comes before what it
// needs.
func TestSortedKeepsAllAndOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 12).Draw(t, "count")
		resources := make([]map[string]any, count)
		for i := range resources {
			var needs []any
			for j := range i {
				if rapid.Bool().Draw(t, "edge") {
					needs = append(needs, string(rune('a'+j)))
				}
			}
			resources[i] = map[string]any{"urn": string(rune('a' + i)), "dependencies": needs}
		}
		shuffled := rapid.Permutation(resources).Draw(t, "shuffled")
		seen := map[string]bool{}
		for _, r := range sorted(shuffled) {
			for _, urn := range references(r) {
				if urn != "" && !seen[urn] {
					t.Fatalf("%s comes before %s", text(r, "urn"), urn)
				}
			}
			seen[text(r, "urn")] = true
		}
		if len(seen) != count {
			t.Fatalf("%d of %d resources are left", len(seen), count)
		}
	})
}
