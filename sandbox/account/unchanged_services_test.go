package account

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	ec2Trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	readLogs = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:GetLogEvents","Resource":"*"}]}`
)

// serviceExample is one object of a type, with inputs as a program gives them.
type serviceExample struct {
	name, typ string
	inputs    m
}

// serviceExamples are made in a world in which what they refer to exists.
func serviceExamples(w *world) []serviceExample {
	vpc := w.vpc("10.0.0.0/16")
	peer := w.vpc("10.1.0.0/16")
	subnets := l(w.subnet(vpc, "10.0.0.0/24", "a").ID, w.subnet(vpc, "10.0.1.0/24", "b").ID)
	role := w.create(typeRole, m{"assumeRolePolicy": ec2Trust})
	policy := w.create(typePolicy, m{"policy": readLogs})
	key := w.create(typeKey, m{})
	balancer := w.balancer(vpc, subnets)
	group := w.targetGroup(vpc)
	zone := w.privateZone(vpc)

	return []serviceExample{
		{"role", typeRole, m{"assumeRolePolicy": ec2Trust, "description": "nodes", "tags": m{"a": "b"}}},
		{"role, policy as an object", typeRole, m{"assumeRolePolicy": m{"Version": "2012-10-17", "Statement": m{
			"Effect": "Allow", "Principal": m{"Service": l("ec2.amazonaws.com")}, "Action": "sts:AssumeRole"}}}},
		{"policy", typePolicy, m{"policy": readLogs, "path": "/team/"}},
		{"role policy", typeRolePolicy, m{"role": role.ID, "policy": readLogs}},
		{"attachment", typeRolePolicyAttachment, m{"role": role.ID, "policyArn": policy.ID}},
		{"attachment of AWS's", typeRolePolicyAttachment, m{"role": role.ID, "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"}},
		{"instance profile", typeInstanceProfile, m{"role": role.ID}},
		{"key", typeKey, m{"enableKeyRotation": true, "deletionWindowInDays": 7, "policy": defaultKeyPolicy}},
		{"alias", typeKeyAlias, m{"name": "alias/eks/tooling", "targetKeyId": key.ID}},
		{"alias without a name", typeKeyAlias, m{"targetKeyId": key.Outputs["arn"]}},
		{"log group", typeLogGroup, m{"name": "/aws/eks/tooling/cluster", "retentionInDays": 90}},
		{"load balancer", typeLoadBalancer, m{"loadBalancerType": "network", "internal": true, "subnets": subnets,
			"securityGroups": l(vpc.Outputs["defaultSecurityGroupId"])}},
		{"target group", typeTargetGroup, m{"vpcId": vpc.ID, "targetType": "ip", "protocol": "TCP", "port": 8200, "preserveClientIp": "false",
			"deregistrationDelay": 60, "healthCheck": m{"enabled": true, "protocol": "HTTPS", "port": "8200", "path": "/v1/sys/health", "matcher": "200",
				"interval": 10, "timeout": 6, "healthyThreshold": 2, "unhealthyThreshold": 2}}},
		{"target group, plain", typeTargetGroup, m{"vpcId": vpc.ID, "protocol": "TCP", "port": 8200}},
		{"listener", typeListener, m{"loadBalancerArn": balancer.ID, "port": 8200, "protocol": "TCP",
			"defaultActions": l(m{"type": "forward", "targetGroupArn": group.ID})}},
		{"zone", typeZone, m{"name": "shop.internal", "vpcs": l(m{"vpcId": vpc.ID})}},
		{"zone, public", typeZone, m{"name": "example.com"}},
		{"association", typeZoneAssociation, m{"zoneId": zone.ID, "vpcId": peer.ID}},
		{"record", typeRecord, m{"zoneId": zone.ID, "name": "db.tooling.internal", "type": "A", "ttl": 60, "records": l("10.0.0.5", "10.0.1.5")}},
		{"alias record", typeRecord, m{"zoneId": zone.ID, "name": "vault.tooling.internal", "type": "A", "aliases": l(m{
			"name": balancer.Outputs["dnsName"], "zoneId": balancer.Outputs["zoneId"], "evaluateTargetHealth": false})}},
	}
}

// Whatever the account makes can be read, and an up with the same program finds
// nothing to change: neither against what was made nor against what is read.
func TestServicesStayUnchanged(t *testing.T) {
	w := newWorld(t)
	for _, test := range serviceExamples(w) {
		t.Run(test.name, func(t *testing.T) {
			made := w.create(test.typ, test.inputs)
			typ, err := Lookup(test.typ)
			require.NoError(t, err)
			require.NotEmpty(t, made.ID)

			read := w.read(made)
			for name, value := range made.Outputs {
				if list, ok := value.([]any); ok && len(list) == 0 {
					continue // filled by what was made before it in this test
				}
				require.Equal(t, value, read.Outputs[name], "output %q as created and as read", name)
			}
			again, failures := typ.Check(made.Inputs, test.inputs, "another name", []byte("another seed"))
			require.Empty(t, failures)
			require.Equal(t, Diff{}, typ.Diff(made.Inputs, made.Outputs, again), "against what was made")
			require.Equal(t, Diff{}, typ.Diff(read.Inputs, read.Outputs, again), "against what was read")

			outputs := cloneMap(read.Outputs)
			require.NoError(t, w.update(made, m{}), "an update without a change")
			require.Equal(t, outputs, w.read(made).Outputs)
		})
	}
}

// A preview knows nothing of what it will create: any value in a program's
// inputs may be unknown, and the inputs must pass all the same.
func TestServicesTakeUnknownValues(t *testing.T) {
	w := newWorld(t)
	for _, test := range serviceExamples(w) {
		typ, err := Lookup(test.typ)
		require.NoError(t, err)
		known, failures := typ.Check(nil, test.inputs, "thing", []byte("seed"))
		require.Empty(t, failures)
		for _, variant := range withUnknown(any(test.inputs)) {
			inputs, ok := variant.value.(m)
			if !ok {
				continue // the whole input cannot be unknown
			}
			checked, failures := typ.Check(nil, inputs, "thing", []byte("seed"))
			require.Empty(t, failures, "%s with %s unknown", test.name, variant.path)
			if top, _, _ := strings.Cut(variant.path[1:], "/"); !typ.isDocument(top) {
				require.Contains(t, typ.Diff(known, known, checked).Changed, top, test.name)
			}
			_, _, err = w.a.Create(t.Context(), CreateRequest{Type: test.typ, Region: testRegion, Inputs: checked})
			refused(t, err, "ValidationError")
		}
	}
}

type variant struct {
	path  string
	value any
}

// withUnknown returns a value with each part of it unknown in turn.
func withUnknown(v any) []variant {
	variants := []variant{{"", Unknown{}}}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range sorted(v) {
			for _, part := range withUnknown(v[key]) {
				changed := cloneMap(v)
				changed[key] = part.value
				variants = append(variants, variant{"/" + key + part.path, changed})
			}
		}
	case []any:
		for i := range v {
			for _, part := range withUnknown(v[i]) {
				changed := append([]any{}, v...)
				changed[i] = part.value
				variants = append(variants, variant{"/" + strconv.Itoa(i) + part.path, changed})
			}
		}
	}
	return variants
}

// Every property that a type names in its rules exists: a slip there would
// switch a rule off without a word.
func TestServicesRulesNameProperties(t *testing.T) {
	for _, token := range []string{
		typeRole, typePolicy, typeRolePolicy, typeRolePolicyAttachment, typeInstanceProfile, typeKey, typeKeyAlias, typeLogGroup,
		typeLoadBalancer, typeTargetGroup, typeListener, typeZone, typeZoneAssociation, typeRecord,
	} {
		typ, err := Lookup(token)
		require.NoError(t, err)
		paths := append(append(append(append(append([]string{}, typ.forceNew...), typ.computed...), typ.sets...), typ.documents...), typ.unmodelled...)
		for _, path := range append(paths, sorted(typ.defaults)...) {
			props := typ.shape.Inputs
			for _, name := range strings.Split(path, ".") {
				p, ok := props[name]
				require.True(t, ok, "%s: there is no property %s", token, path)
				if p.Elem != nil {
					p = *p.Elem
				}
				props = p.Props
			}
		}
	}
}

func (w *world) balancer(vpc *Object, subnets []any) *Object {
	w.t.Helper()
	return w.create(typeLoadBalancer, m{"loadBalancerType": "network", "internal": true, "subnets": subnets,
		"securityGroups": l(vpc.Outputs["defaultSecurityGroupId"])})
}

func (w *world) targetGroup(vpc *Object) *Object {
	w.t.Helper()
	return w.create(typeTargetGroup, m{"vpcId": vpc.ID, "targetType": "ip", "protocol": "TCP", "port": 8200})
}

func (w *world) privateZone(vpc *Object) *Object {
	w.t.Helper()
	return w.create(typeZone, m{"name": "tooling.internal", "vpcs": l(m{"vpcId": vpc.ID, "vpcRegion": testRegion})})
}
