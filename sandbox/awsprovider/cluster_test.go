package awsprovider

import (
	"context"
	"strings"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/strongroom-platform/strongroom/sandbox/account"
)

// planes are control planes that exist in memory only. Starting one takes until it is
// released.
type planes struct{ starting, release chan struct{} }

func newPlanes() *planes {
	return &planes{starting: make(chan struct{}, 10), release: make(chan struct{})}
}

func (p *planes) Start(ctx context.Context, _ account.Cluster) (account.Endpoint, error) {
	p.starting <- struct{}{}
	select {
	case <-p.release:
	case <-ctx.Done():
		return account.Endpoint{}, ctx.Err()
	}
	return account.Endpoint{URL: "https://127.0.0.1:6443", CAData: "Q0E=", Issuer: "https://127.0.0.1:6443/oidc", ActualVersion: "1.34.1"}, nil
}

func (p *planes) Upgrade(ctx context.Context, name, version string) (account.Endpoint, error) {
	return p.Start(ctx, account.Cluster{Name: name, Version: version})
}

func (p *planes) Stop(context.Context, string) error { return nil }

// cluster makes what a cluster stands on and returns the inputs for it.
func (w *world) cluster() m {
	w.t.Helper()
	network := w.create(vpc, m{"cidrBlock": "10.0.0.0/16"})
	a := w.create(subnet, m{"vpcId": network.id, "cidrBlock": "10.0.0.0/24", "availabilityZone": region + "a"})
	b := w.create(subnet, m{"vpcId": network.id, "cidrBlock": "10.0.1.0/24", "availabilityZone": region + "b"})
	r := w.create(role, m{"assumeRolePolicy": trust})
	w.create("aws:iam/rolePolicyAttachment:RolePolicyAttachment", m{"role": r.id, "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"})
	return m{
		"name": "tooling", "roleArn": plain(w.t, r.state)["arn"], "version": "1.34",
		"accessConfig": m{"authenticationMode": "API"},
		"vpcConfig":    m{"subnetIds": []any{a.id, b.id}},
	}
}

// The component reads the cluster's security group while it previews.
func TestPreviewOfACluster(t *testing.T) {
	w := newWorld(t, newPlanes())
	inputs := w.cluster()
	inputs["vpcConfig"].(m)["subnetIds"] = unknown()
	created, err := w.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(clusterType), Properties: w.check(clusterType, inputs), Preview: true})
	require.NoError(t, err)
	planned := plain(t, created.GetProperties())
	require.Equal(t, account.Unknown{}, planned["endpoint"])
	require.Equal(t, account.Unknown{}, planned["vpcConfig"].(m)["clusterSecurityGroupId"])
	require.Equal(t, account.Unknown{}, planned["vpcConfig"].(m)["vpcId"])
	require.Equal(t, true, planned["vpcConfig"].(m)["endpointPublicAccess"])
}

func TestClusterLifecycle(t *testing.T) {
	cp := newPlanes()
	close(cp.release)
	w := newWorld(t, cp)
	inputs := w.cluster()
	o := w.create(clusterType, inputs)
	require.Equal(t, "tooling", o.id)
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, w.diff(o, inputs).GetChanges())
	require.Equal(t, plain(t, o.inputs), plain(t, w.refresh(w.Provider, o).GetInputs()))

	group := plain(t, o.state)["vpcConfig"].(m)["clusterSecurityGroupId"]
	inputs["version"] = "1.35"
	d := w.diff(o, inputs)
	require.Equal(t, []string{"version"}, d.GetDiffs())
	require.Empty(t, d.GetReplaces())
	preview, err := w.Update(t.Context(), &pulumirpc.UpdateRequest{
		Id: o.id, Urn: urnOf(clusterType), Olds: o.state, OldInputs: o.inputs, News: w.check(clusterType, inputs), Preview: true,
	})
	require.NoError(t, err)
	require.Equal(t, group, plain(t, preview.GetProperties())["vpcConfig"].(m)["clusterSecurityGroupId"], "an upgrade leaves it alone")
	updated, err := w.update(o, inputs)
	require.NoError(t, err)
	require.Equal(t, "1.35", plain(t, updated.GetProperties())["version"])

	entry := w.create("aws:eks/accessEntry:AccessEntry", m{"clusterName": o.id, "principalArn": account.StrangerARN})
	require.NoError(t, w.delete(entry))
	require.NoError(t, w.delete(o))
}

// Whoever creates a cluster becomes its administrator, and here that is the operator.
func TestClusterBelongsToTheOperator(t *testing.T) {
	cp := newPlanes()
	close(cp.release)
	w := newWorld(t, cp)
	w.create(clusterType, w.cluster())
	var principals []any
	for _, o := range w.account.Objects() {
		if o.Type == "aws:eks/accessEntry:AccessEntry" {
			principals = append(principals, o.Outputs["principalArn"])
		}
	}
	require.Contains(t, principals, account.OperatorARN)
}

func TestCancelledClusterIsTakenBack(t *testing.T) {
	cp := newPlanes()
	w := newWorld(t, cp)
	messages := w.engine()
	w.narrateAfter = time.Millisecond
	inputs := w.cluster()
	created := w.createAsync(t.Context(), clusterType, inputs, 0)
	<-cp.starting
	for message := range messages {
		if strings.HasPrefix(message.GetMessage(), "simulated: control plane starting") {
			break
		}
	}
	_, err := w.Cancel(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
	err = ends(t, created)
	require.ErrorContains(t, err, `simulated AWS account: create aws:eks/cluster:Cluster "thing"`)
	require.Empty(t, w.account.FindByURN(urnOf(clusterType)))
}

// A creation that happened although the operation was cancelled is reported as made:
// otherwise the engine would not know of the object, and nobody would delete it.
func TestClusterThatWasReadyWhenItWasCancelled(t *testing.T) {
	cp := newPlanes()
	w := newWorld(t, cp)
	checked := w.check(clusterType, w.cluster())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	type result struct {
		response *pulumirpc.CreateResponse
		err      error
	}
	done := make(chan result, 1)
	go func() {
		response, err := w.Create(ctx, &pulumirpc.CreateRequest{Urn: urnOf(clusterType), Properties: checked})
		done <- result{response, err}
	}()
	<-cp.starting
	close(cp.release)
	cancel()
	got := <-done
	found, err := w.client.FindByURN(t.Context(), urnOf(clusterType))
	require.NoError(t, err)
	if got.err != nil {
		require.Empty(t, found, "an error means that there is no cluster")
		return
	}
	require.Equal(t, "tooling", got.response.GetId())
	require.Len(t, found, 1)
}
