package pulumitest

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// policyInputs are the inputs that hold a policy document, by resource type.
var policyInputs = map[string]string{
	"aws:iam/policy:Policy":            "policy",
	"aws:iam/rolePolicy:RolePolicy":    "policy",
	"aws:iam/role:Role":                "assumeRolePolicy",
	"aws:kms/key:Key":                  "policy",
	"aws:ec2/vpcEndpoint:VpcEndpoint":  "policy",
	"aws:s3/bucketPolicy:BucketPolicy": "policy",
}

// wholeAccount are the actions that AWS offers for no single resource, so that a
// policy can only say "*", see
// https://docs.aws.amazon.com/service-authorization/latest/reference/.
var wholeAccount = []string{
	"ec2:DescribeAvailabilityZones", "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups",
	"ec2:DescribeSnapshots", "ec2:DescribeSubnets", "ec2:DescribeTags", "ec2:DescribeVolumes",
	"ec2:DescribeVolumesModifications", "ec2:DescribeVolumeStatus", "ec2:DescribeVpcs",
	"ecr:GetAuthorizationToken",
	"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
	"elasticfilesystem:DescribeAccessPoints", "elasticfilesystem:DescribeFileSystems", "elasticfilesystem:DescribeMountTargets",
	"logs:DescribeLogGroups", "logs:DescribeLogStreams",
	"kms:CreateKey", "kms:ListAliases", "kms:ListKeys",
}

// Wildcards lists the statements of policies that allow more than they need:
// every resource where an ARN can stand, every action of a service, or
// everybody. The error is for what is no policy at all.
func (g *Graph) Wildcards() ([]string, error) {
	var found []string
	for _, r := range g.Resources {
		input, ok := policyInputs[r.Type]
		if !ok {
			continue
		}
		text, ok := r.Get(input).(string)
		if !ok {
			continue // not given, or unknown in this run
		}
		var policy struct {
			Statement []struct {
				Effect                      string
				Action, Resource, Principal any
			}
		}
		if err := json.Unmarshal([]byte(text), &policy); err != nil {
			return nil, fmt.Errorf("%s: input %q is no policy: %w", r, input, err)
		}
		for i, s := range policy.Statement {
			if s.Effect != "Allow" {
				continue
			}
			at := fmt.Sprintf("%s, statement %d", r, i)
			actions := words(s.Action)
			for _, a := range actions {
				if a == "*" || strings.HasSuffix(a, ":*") && r.Type != "aws:kms/key:Key" {
					found = append(found, fmt.Sprintf("%s allows the action %q", at, a))
				}
			}
			// In the policy of a key, "*" is that key.
			if slices.Contains(words(s.Resource), "*") && r.Type != "aws:kms/key:Key" {
				for _, a := range actions {
					if !slices.Contains(wholeAccount, a) {
						found = append(found, fmt.Sprintf("%s allows %q on every resource", at, a))
					}
				}
			}
			if slices.Contains(principals(s.Principal), "*") {
				found = append(found, at+" is for everybody")
			}
		}
	}
	slices.Sort(found)
	return found, nil
}

// words returns what JSON policies write as a string or as a list of strings.
func words(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, item := range v {
			if s, ok := item.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

func principals(v any) []string {
	if byType, ok := v.(map[string]any); ok {
		var out []string
		for _, ids := range byType {
			out = append(out, words(ids)...)
		}
		return out
	}
	return words(v)
}

// OpenToAll lists what lets the internet in: security group rules, and the
// public endpoint of a cluster. A range of more than a 256th of all addresses
// counts as the internet, so that two halves of it do too.
func (g *Graph) OpenToAll() []string {
	var found []string
	for _, r := range g.Resources {
		var ranges []string
		switch r.Type {
		case "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
			ranges = append(words(r.Get("cidrIpv4")), words(r.Get("cidrIpv6"))...)
		case "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":
			rules, _ := r.Get("ingress").([]any)
			for _, rule := range rules {
				fields, _ := rule.(map[string]any)
				ranges = append(ranges, append(words(fields["cidrBlocks"]), words(fields["ipv6CidrBlocks"])...)...)
			}
		case "eks:index:Cluster":
			ranges = words(r.Get("publicAccessCidrs"))
			// The provider's default, and AWS's, is everybody.
			if public := r.Get("endpointPublicAccess"); public != false && len(ranges) == 0 {
				ranges = []string{"0.0.0.0/0"}
			}
		}
		for _, cidr := range ranges {
			if wide(cidr) {
				found = append(found, fmt.Sprintf("%s lets the internet in: %s", r, cidr))
			}
		}
	}
	slices.Sort(found)
	return found
}

// wide reports whether a range is more than one network's, or no range at all.
func wide(cidr string) bool {
	prefix, err := netip.ParsePrefix(cidr)
	return err != nil || prefix.Bits() < 8
}
