package accountapi

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/account"
)

const (
	clusterType = "aws:eks/cluster:Cluster"
	clusterURN  = "urn:pulumi:dev::project::aws:eks/cluster:Cluster::tooling"

	trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
)

// planes are control planes that exist in memory only. Start takes until it is released.
type planes struct {
	starting, release chan struct{}
	failStop          error

	mu      sync.Mutex
	running map[string]bool
}

func newPlanes() *planes {
	return &planes{starting: make(chan struct{}, 10), release: make(chan struct{}), running: map[string]bool{}}
}

func (p *planes) Start(ctx context.Context, c account.Cluster) (account.Endpoint, error) {
	p.mu.Lock()
	p.running[c.Name] = true // half started: what is there must be stopped
	p.mu.Unlock()
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

func (p *planes) Stop(_ context.Context, name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failStop != nil {
		return p.failStop
	}
	delete(p.running, name)
	return nil
}

func (p *planes) names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.running))
}

// make checks inputs and creates an object directly in the account.
func (w *world) make(typ string, inputs map[string]any) *account.Object {
	w.t.Helper()
	req := checked(w.t, typ, "urn:"+typ, inputs)
	id, outputs, err := w.account.Create(w.t.Context(), req)
	require.NoError(w.t, err)
	return &account.Object{ID: id, Outputs: outputs}
}

func checked(t *testing.T, typ, urn string, inputs map[string]any) account.CreateRequest {
	t.Helper()
	definition, err := account.Lookup(typ)
	require.NoError(t, err)
	checked, failures := definition.Check(nil, inputs, "thing", nil)
	require.Empty(t, failures)
	return account.CreateRequest{Type: typ, URN: urn, Region: region, Inputs: checked}
}

// cluster makes what a cluster stands on and returns the request for it.
func (w *world) cluster() account.CreateRequest {
	w.t.Helper()
	network := w.make(vpcType, map[string]any{"cidrBlock": "10.0.0.0/16"})
	a := w.make(subnet, map[string]any{"vpcId": network.ID, "cidrBlock": "10.0.0.0/24", "availabilityZone": region + "a"})
	b := w.make(subnet, map[string]any{"vpcId": network.ID, "cidrBlock": "10.0.1.0/24", "availabilityZone": region + "b"})
	role := w.make("aws:iam/role:Role", map[string]any{"name": "cluster", "assumeRolePolicy": trust})
	w.make("aws:iam/rolePolicyAttachment:RolePolicyAttachment", map[string]any{
		"role": role.ID, "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy",
	})
	return checked(w.t, clusterType, clusterURN, map[string]any{
		"name": "tooling", "roleArn": role.Outputs["arn"], "version": "1.34",
		"accessConfig": map[string]any{"authenticationMode": "API"},
		"vpcConfig":    map[string]any{"subnetIds": []any{a.ID, b.ID}},
	})
}

func TestClusterOfAClientThatIsKilled(t *testing.T) {
	cp := newPlanes()
	w := newWorld(t, cp)
	req := w.cluster()
	before := w.account.Objects()
	kill, done := w.killed(req)
	<-cp.starting
	kill()
	require.ErrorIs(t, ends(t, done), context.Canceled)
	found, err := w.client.FindByURN(t.Context(), clusterURN)
	require.NoError(t, err)
	require.Empty(t, found, "the cluster was taken back before the look-up answered")
	require.Equal(t, before, w.account.Objects(), "with all that stood in its subnets")
	require.Empty(t, cp.names())

	close(cp.release)
	id, _, err := w.client.Create(t.Context(), req)
	require.NoError(t, err, "it can be made again")
	require.Equal(t, "tooling", id)
}

func TestClusterIsFoundOnceItIsReady(t *testing.T) {
	cp := newPlanes()
	w := newWorld(t, cp)
	req := w.cluster()
	created := background(func() error { _, _, err := w.client.Create(t.Context(), req); return err })
	<-cp.starting
	var found []account.Object
	finding := background(func() (err error) { found, err = w.another().FindByURN(t.Context(), clusterURN); return err })
	close(cp.release)
	require.NoError(t, ends(t, created))
	require.NoError(t, ends(t, finding))
	require.Len(t, found, 1)
	require.Empty(t, found[0].State)
	require.Equal(t, "https://127.0.0.1:6443", found[0].Outputs["endpoint"])
}

func TestCancelledCreationOfACluster(t *testing.T) {
	cp := newPlanes()
	w := newWorld(t, cp)
	req := w.cluster()
	ctx, cancel := withCancel(t)
	created := background(func() error { _, _, err := w.client.Create(ctx, req); return err })
	<-cp.starting
	cancel()
	require.ErrorIs(t, ends(t, created), context.Canceled)
	require.Empty(t, w.account.FindByURN(clusterURN), "it was taken back when the call ended")
	require.Empty(t, cp.names())
}

// A half cluster that could not be taken back is not handed out as one that was made.
func TestClusterThatCannotBeTakenBack(t *testing.T) {
	cp := newPlanes()
	cp.failStop = errors.New("it does not stop")
	w := newWorld(t, cp)
	kill, done := w.killed(w.cluster())
	<-cp.starting
	kill()
	_ = ends(t, done)
	_, err := w.client.FindByURN(t.Context(), clusterURN)
	require.ErrorContains(t, err, `aws:eks/cluster:Cluster "tooling" was being created`)
	require.ErrorContains(t, err, "restart the sandbox")
}

func TestCancelledUpgrade(t *testing.T) {
	cp := newPlanes()
	w := newWorld(t, cp)
	req := w.cluster()
	created := background(func() error { _, _, err := w.client.Create(t.Context(), req); return err })
	<-cp.starting
	cp.release <- struct{}{}
	require.NoError(t, ends(t, created))

	inputs := maps.Clone(req.Inputs)
	inputs["version"] = "1.35"
	ctx, cancel := withCancel(t)
	updated := background(func() error {
		_, err := w.client.Update(ctx, clusterURN, clusterType, "tooling", inputs)
		return err
	})
	<-cp.starting
	cancel()
	require.ErrorIs(t, ends(t, updated), context.Canceled)
	o, err := w.client.Read(t.Context(), clusterType, "tooling")
	require.NoError(t, err)
	require.Equal(t, "1.34", o.Outputs["version"], "it keeps its version")
	require.Empty(t, o.State)
}
