package pulumitest

import (
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func TestFits(t *testing.T) {
	rule := func(of map[string]any) *Resource {
		return &Resource{Type: "aws:ec2/securityGroup:SecurityGroup", Name: "a", Inputs: resource.NewPropertyMapFromMap(map[string]any{
			"name": "a", "tags": map[string]any{"any": "value"}, "ingress": []any{of},
		})}
	}
	require.NoError(t, rule(map[string]any{"fromPort": 1, "self": true, "cidrBlocks": []any{"10.0.0.0/8"}}).Fits(ec2.SecurityGroupArgs{}))
	for want, wrong := range map[string]map[string]any{
		"ingress.0.fromport: there is none of that name":             {"fromport": 1},
		"ingress.0.fromPort: string where int is expected":           {"fromPort": "1"},
		"ingress.0.self: number where bool is expected":              {"self": 1},
		"ingress.0.cidrBlocks: string where []string is expected":    {"cidrBlocks": "10.0.0.0/8"},
		"ingress.0.cidrBlocks.0: bool where string is expected":      {"cidrBlocks": []any{true}},
		"ingress.0.description: object where string is expected":     {"description": map[string]any{"a": "b"}},
		`aws:ec2/securityGroup:SecurityGroup "a" does not fit ec2.S`: {"none": "a"},
	} {
		require.ErrorContains(t, rule(wrong).Fits(ec2.SecurityGroupArgs{}), want)
	}
	reference := rule(map[string]any{"fromPort": 1})
	reference.Inputs["description"] = resource.MakeCustomResourceReference("urn:pulumi:a::b::c:d:e::f", "id", "")
	require.ErrorContains(t, reference.Fits(ec2.SecurityGroupArgs{}), "description: a resource where string is expected")
}
