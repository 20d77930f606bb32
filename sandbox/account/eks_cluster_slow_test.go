package account

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hold makes the control planes wait until they are let go.
func (w *eksWorld) hold() (letGo func()) {
	block := make(chan struct{})
	w.cp.mu.Lock()
	w.cp.block = block
	w.cp.mu.Unlock()
	return func() {
		w.cp.mu.Lock()
		w.cp.block = nil
		w.cp.mu.Unlock()
		close(block)
	}
}

func (w *eksWorld) waitFor(status string) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		o, err := w.a.Read(context.Background(), typeCluster, "tooling")
		return err == nil && o.Outputs["status"] == status
	}, 10*time.Second, time.Millisecond)
}

// inUse checks a refusal that a caller may repeat.
func inUse(t *testing.T, err error) {
	t.Helper()
	var refusal *Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, "ResourceInUseException", refusal.Code)
	require.True(t, refusal.Retryable)
}

func TestClusterWhileItIsBeingMade(t *testing.T) {
	w := newEKSWorld(t)
	letGo := w.hold()
	made := make(chan error, 1)
	go func() {
		_, _, err := w.a.Create(context.Background(), CreateRequest{Type: typeCluster, Region: testRegion, Inputs: w.clusterInputs(nil)})
		made <- err
	}()
	w.waitFor("CREATING")
	require.Empty(t, w.a.Clusters(), "it is not one that a daemon should start")
	inUse(t, w.a.Delete(t.Context(), typeCluster, "tooling"))
	_, err := w.a.Update(t.Context(), typeCluster, "tooling", w.clusterInputs(m{"version": "1.35"}))
	inUse(t, err)
	_, err = w.try(typeAddon, m{"clusterName": "tooling", "addonName": "vpc-cni"})
	inUse(t, err)
	refused(t, w.delete(w.subnetA), "DependencyViolation")
	letGo()
	require.NoError(t, <-made)
	w.waitFor("ACTIVE")
	require.Len(t, w.a.Clusters(), 1)
}

// An engine that is interrupted cancels the call: nothing is left.
func TestCancelledCreationIsRolledBack(t *testing.T) {
	w := newEKSWorld(t)
	before := w.a.Objects()
	defer w.hold()()
	ctx, cancel := context.WithCancelCause(t.Context())
	made := make(chan error, 1)
	go func() {
		_, _, err := w.a.Create(ctx, CreateRequest{Type: typeCluster, Region: testRegion, Inputs: w.clusterInputs(nil)})
		made <- err
	}()
	w.waitFor("CREATING")
	cancel(errors.New("interrupted"))
	require.ErrorIs(t, <-made, context.Canceled)
	require.Equal(t, before, w.a.Objects())
}

func TestClusterWhileItIsUpgraded(t *testing.T) {
	w := newEKSWorld(t)
	cluster := w.cluster()
	letGo := w.hold()
	done := make(chan error, 1)
	inputs := with(cluster.Inputs, m{"version": "1.35"})
	go func() {
		_, err := w.a.Update(context.Background(), typeCluster, "tooling", inputs)
		done <- err
	}()
	w.waitFor("UPDATING")
	require.Equal(t, "1.34", w.read(cluster).Outputs["version"], "until the control plane has it")
	_, err := w.try(typeNodeGroup, w.nodeGroupInputs(nil))
	inUse(t, err)
	letGo()
	require.NoError(t, <-done)
	require.Equal(t, "1.35", w.read(cluster).Outputs["version"])
}
