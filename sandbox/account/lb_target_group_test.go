package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTargetGroupInUseIsNotDeleted(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	balancer := w.balancer(vpc, l(w.subnet(vpc, "10.0.0.0/24", "a").ID))
	group := w.targetGroup(vpc)
	require.Regexp(t, `^arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/thing\d+-[0-9a-f]{7}/[0-9a-f]{16}$`, group.ID)
	listener := w.listener(balancer, group, 8200)
	require.Equal(t, l(balancer.ID), w.read(group).Outputs["loadBalancerArns"])
	refused(t, w.delete(group), "ResourceInUse")
	require.NoError(t, w.delete(listener))
	require.NoError(t, w.delete(group))
}

func TestTargetGroupHealthCheck(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	for name, test := range map[string]struct{ check, want m }{
		"none": {nil, m{"enabled": true, "protocol": "TCP", "port": "traffic-port", "interval": 30.0, "timeout": 10.0,
			"healthyThreshold": 5.0, "unhealthyThreshold": 2.0, "path": "", "matcher": ""}},
		"TCP": {m{"protocol": "TCP", "interval": 10}, m{"enabled": true, "protocol": "TCP", "port": "traffic-port", "interval": 10.0, "timeout": 10.0,
			"healthyThreshold": 3.0, "unhealthyThreshold": 3.0, "path": "", "matcher": ""}},
		"HTTP": {m{}, m{"enabled": true, "protocol": "HTTP", "port": "traffic-port", "interval": 30.0, "timeout": 6.0,
			"healthyThreshold": 3.0, "unhealthyThreshold": 3.0, "path": "/", "matcher": "200-399"}},
	} {
		t.Run(name, func(t *testing.T) {
			inputs := m{"vpcId": vpc.ID, "targetType": "ip", "protocol": "TCP", "port": 8200}
			if test.check != nil {
				inputs["healthCheck"] = test.check
			}
			require.Equal(t, test.want, w.create(typeTargetGroup, inputs).Outputs["healthCheck"])
		})
	}
	_, err := w.try(typeTargetGroup, m{"vpcId": vpc.ID, "protocol": "TCP", "port": 8200, "healthCheck": m{"protocol": "TCP", "interval": 5}})
	refused(t, err, "ValidationError")
}

func TestTargetGroupDefaults(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	for _, test := range []struct{ targets, protocol, preserves string }{
		{"ip", "TCP", "false"}, {"instance", "TCP", "true"}, {"ip", "UDP", "true"},
	} {
		group := w.create(typeTargetGroup, m{"vpcId": vpc.ID, "targetType": test.targets, "protocol": test.protocol, "port": 53})
		require.Equal(t, test.preserves, group.Outputs["preserveClientIp"], "%s targets, %s", test.targets, test.protocol)
	}
}

func TestTargetGroupInputsAreChecked(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	for name, test := range map[string]struct {
		change m
		want   string
	}{
		"no port":         {m{"port": nil}, "port: is required"},
		"port":            {m{"port": 70000}, "expected 1 to 65535"},
		"no VPC":          {m{"vpcId": nil}, "vpcId: is required"},
		"wrong VPC":       {m{"vpcId": "vpc-gone"}, "ValidationError"},
		"application":     {m{"protocol": "HTTP"}, "not modelled"},
		"lambda":          {m{"targetType": "lambda"}, "not modelled"},
		"delay":           {m{"deregistrationDelay": 4000}, "expected 0 to 3600"},
		"client address":  {m{"preserveClientIp": "no"}, "expected one of"},
		"threshold":       {m{"healthCheck": m{"healthyThreshold": 1}}, "healthCheck.healthyThreshold: 1 is out of range"},
		"interval":        {m{"healthCheck": m{"interval": 4}}, "healthCheck.interval"},
		"path over TCP":   {m{"healthCheck": m{"protocol": "TCP", "path": "/"}}, "healthCheck.path: cannot be given"},
		"path":            {m{"healthCheck": m{"path": "health"}}, "must begin with a slash"},
		"port of a check": {m{"healthCheck": m{"port": "http"}}, "traffic-port"},
		"name":            {m{"name": "a_b"}, "letters, digits and hyphens"},
	} {
		t.Run(name, func(t *testing.T) {
			inputs := m{"vpcId": vpc.ID, "targetType": "ip", "protocol": "TCP", "port": 8200}
			for k, v := range test.change {
				inputs[k] = v
			}
			_, err := w.try(typeTargetGroup, inputs)
			require.ErrorContains(t, err, test.want)
		})
	}
	w.create(typeTargetGroup, m{"name": "vault", "vpcId": vpc.ID, "protocol": "TCP", "port": 8200})
	_, err := w.try(typeTargetGroup, m{"name": "vault", "vpcId": vpc.ID, "protocol": "TCP", "port": 8200})
	refused(t, err, "DuplicateTargetGroupName")
}

func TestTargetGroupDiff(t *testing.T) {
	group, err := Lookup(typeTargetGroup)
	require.NoError(t, err)
	old := m{"vpcId": "vpc-1", "targetType": "ip", "protocol": "TCP", "port": 8200.0, "healthCheck": m{"protocol": "TCP", "timeout": 6.0}}
	for name, test := range map[string]struct {
		change m
		want   Diff
	}{
		"the check":             {m{"healthCheck": m{"protocol": "HTTPS", "timeout": 6.0}}, Diff{Changed: []string{"healthCheck"}}},
		"timeout left to AWS":   {m{"healthCheck": m{"protocol": "TCP"}}, Diff{}},
		"the check left to AWS": {m{"healthCheck": nil}, Diff{}},
		"port":                  {m{"port": 8300.0}, Diff{Changed: []string{"port"}, Replaces: []string{"port"}}},
		"VPC not known":         {m{"vpcId": Unknown{}}, Diff{Changed: []string{"vpcId"}, Replaces: []string{"vpcId"}}},
	} {
		t.Run(name, func(t *testing.T) {
			news := cloneMap(old)
			for k, v := range test.change {
				news[k] = v
			}
			require.Equal(t, test.want, group.Diff(old, old, news))
		})
	}
}
