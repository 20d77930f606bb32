package account

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func listenerInputs(balancer, group *Object, port int) m {
	return m{"loadBalancerArn": balancer.ID, "port": port, "protocol": "TCP", "defaultActions": l(m{"type": "forward", "targetGroupArn": group.ID})}
}

func (w *world) listener(balancer, group *Object, port int) *Object {
	w.t.Helper()
	return w.create(typeListener, listenerInputs(balancer, group, port))
}

func TestListener(t *testing.T) {
	w := newWorld(t)
	vpc, other := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
	subnet := l(w.subnet(vpc, "10.0.0.0/24", "a").ID)
	balancer, second := w.balancer(vpc, subnet), w.balancer(vpc, subnet)
	group := w.targetGroup(vpc)
	listener := w.listener(balancer, group, 8200)
	require.Regexp(t, `^`+strings.Replace(balancer.ID, ":loadbalancer/", ":listener/", 1)+`/[0-9a-f]{16}$`, listener.ID)
	require.Equal(t, l(m{"type": "forward", "targetGroupArn": group.ID, "order": 1.0}), listener.Outputs["defaultActions"])

	with := func(inputs m, key string, value any) m {
		inputs[key] = value
		return inputs
	}
	udp := w.create(typeTargetGroup, m{"vpcId": vpc.ID, "targetType": "ip", "protocol": "UDP", "port": 53})
	for name, test := range map[string]struct {
		inputs m
		code   string
	}{
		"port in use":       {listenerInputs(balancer, group, 8200), "DuplicateListener"},
		"group in use":      {listenerInputs(second, group, 8200), "TargetGroupAssociationLimit"},
		"another protocol":  {listenerInputs(second, udp, 53), "IncompatibleProtocols"},
		"another VPC":       {listenerInputs(second, w.targetGroup(other), 8200), "InvalidConfigurationRequest"},
		"no load balancer":  {with(listenerInputs(balancer, group, 1), "loadBalancerArn", "arn:aws:elasticloadbalancing:gone"), "LoadBalancerNotFound"},
		"no target group":   {with(listenerInputs(balancer, group, 1), "defaultActions", l(m{"type": "forward", "targetGroupArn": "arn:gone"})), "TargetGroupNotFound"},
		"no group, forward": {with(listenerInputs(balancer, group, 1), "defaultActions", l(m{"type": "forward", "forward": m{"targetGroups": l(m{"arn": "arn:gone"})}})), "TargetGroupNotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeListener, test.inputs)
			refused(t, err, test.code)
		})
	}
	for name, test := range map[string]struct {
		inputs m
		want   string
	}{
		"no port":     {with(listenerInputs(balancer, group, 1), "port", nil), "port: is required"},
		"no protocol": {with(listenerInputs(balancer, group, 1), "protocol", nil), "protocol: is required"},
		"no action":   {with(listenerInputs(balancer, group, 1), "defaultActions", l()), "exactly one"},
		"redirect":    {with(listenerInputs(balancer, group, 1), "defaultActions", l(m{"type": "redirect"})), "not modelled"},
		"no target":   {with(listenerInputs(balancer, group, 1), "defaultActions", l(m{"type": "forward"})), "targetGroupArn: is required"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeListener, test.inputs)
			require.ErrorContains(t, err, test.want)
		})
	}

	require.NoError(t, w.update(listener, m{"port": 8300}), "the port changes in place")
	refused(t, w.update(listener, m{"loadBalancerArn": second.ID}), "InvalidParameterValue")
}

// Replacing a load balancer means that the old listener lets go of the target
// group first: the order that the endpoint component asks for.
func TestTargetGroupMovesToAnotherLoadBalancer(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet := l(w.subnet(vpc, "10.0.0.0/24", "a").ID)
	old, replacement, group := w.balancer(vpc, subnet), w.balancer(vpc, subnet), w.targetGroup(vpc)
	listener := w.listener(old, group, 8200)
	_, err := w.try(typeListener, listenerInputs(replacement, group, 8200))
	refused(t, err, "TargetGroupAssociationLimit")
	require.NoError(t, w.delete(listener))
	w.listener(replacement, group, 8200)
	require.NoError(t, w.delete(old))
	gone(t, w.delete(listener))
}

func TestListenersGoWithTheirLoadBalancer(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	balancer, group := w.balancer(vpc, l(w.subnet(vpc, "10.0.0.0/24", "a").ID)), w.targetGroup(vpc)
	listener := w.listener(balancer, group, 8200)
	require.NoError(t, w.delete(balancer))
	gone(t, w.delete(listener))
	require.NoError(t, w.delete(group))
}
