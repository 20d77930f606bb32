package account

import (
	"context"
	"errors"
	"fmt"
)

// ControlPlanes runs the control planes behind the account's EKS clusters.
// Every method must be idempotent: it is called again after a run that was
// killed.
type ControlPlanes interface {
	// Start starts a cluster's control plane and returns when it answers.
	Start(ctx context.Context, c Cluster) (Endpoint, error)
	// Upgrade brings a control plane to a Kubernetes version.
	Upgrade(ctx context.Context, name, version string) (Endpoint, error)
	// Stop stops a control plane and removes what it kept. Stopping one that
	// does not exist is no error.
	Stop(ctx context.Context, name string) error
}

// Cluster is what a control plane is started for.
type Cluster struct {
	Name    string
	Version string // Kubernetes minor version, such as "1.35"
	Region  string
	ARN     string
}

// Endpoint is where a control plane answers.
type Endpoint struct {
	URL    string // "https://127.0.0.1:<port>"
	CAData string // base64 of the PEM certificate of its CA
	Issuer string // OIDC issuer of its service account tokens
	// ActualVersion is the version that runs, which differs from the one asked
	// for where no binary of that version exists; Note then says so.
	ActualVersion string
	Note          string
}

// slow is how a type uses a control plane.
type slow struct {
	cluster func(o *Object) Cluster
	// takesLong says whether an update involves the control plane.
	takesLong func(old, o *Object) bool
	// ready completes the outputs with the control plane's endpoint.
	ready func(o *Object, e Endpoint)
}

// Clusters returns the clusters whose control planes should be running: those
// that are ready. A daemon starts them when it starts.
func (a *Account) Clusters() []Cluster {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []Cluster
	v := a.view()
	for _, o := range v.all(typeCluster, func(o *Object) bool { return o.State == "" }) {
		out = append(out, registry[typeCluster].slow.cluster(o))
	}
	return out
}

// Started records where a control plane answers after it was started again,
// which may be on another port.
func (a *Account) Started(name string, e Endpoint) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := a.ready(typeCluster, name); err != nil {
		return err
	}
	v := a.view()
	registry[typeCluster].slow.ready(v.edit(typeCluster, name), e)
	return a.commit(v)
}

func (a *Account) finishCreate(ctx context.Context, t *Type, o *Object) (*Object, error) {
	defer a.release(o)
	endpoint, err := a.startControlPlane(ctx, t.slow.cluster(o))
	if err != nil {
		// Nobody is told of an object that could not be made, so it goes.
		// Where even that fails, it stays in its state for the next Open.
		undone := a.rollBack(context.WithoutCancel(ctx), t, o)
		return nil, errors.Join(err, undone)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	done := v.edit(o.Type, o.ID)
	done.State = ""
	t.slow.ready(done, endpoint)
	if err := a.commit(v); err != nil {
		return nil, err
	}
	return done, nil
}

func (a *Account) startControlPlane(ctx context.Context, c Cluster) (Endpoint, error) {
	if a.controlPlanes == nil {
		return Endpoint{}, errors.New("the simulated account was opened without control planes")
	}
	endpoint, err := a.controlPlanes.Start(ctx, c)
	if err != nil {
		return endpoint, fmt.Errorf("control plane of the simulated cluster %q: %w", c.Name, err)
	}
	return endpoint, nil
}

func (a *Account) rollBack(ctx context.Context, t *Type, o *Object) error {
	if err := a.stopControlPlane(ctx, o); err != nil {
		return err
	}
	return a.removeNow(t, o)
}

func (a *Account) stopControlPlane(ctx context.Context, o *Object) error {
	if a.controlPlanes == nil {
		return nil
	}
	name := registry[o.Type].slow.cluster(o).Name
	if err := a.controlPlanes.Stop(ctx, name); err != nil {
		return fmt.Errorf("stop the control plane of the simulated cluster %q: %w", name, err)
	}
	return nil
}

func (a *Account) removeNow(t *Type, o *Object) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	if err := t.removed(v, o); err != nil {
		return err
	}
	return a.commit(v)
}

func (a *Account) finishDelete(ctx context.Context, t *Type, o *Object) error {
	defer a.release(o)
	if err := a.stopControlPlane(ctx, o); err != nil {
		return err
	}
	return a.removeNow(t, o)
}

// finishUpdate upgrades the control plane and then makes the stored update. If
// the upgrade fails, the object keeps its old inputs, as in AWS.
func (a *Account) finishUpdate(ctx context.Context, t *Type, o *Object) (map[string]any, error) {
	defer a.release(o)
	endpoint, err := a.upgradeControlPlane(ctx, t, o)
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	if err != nil {
		kept := v.edit(o.Type, o.ID)
		kept.State, kept.Pending = "", nil
		return nil, errors.Join(err, a.commit(v))
	}
	old := a.objects[o.Type][o.ID]
	done, err := t.updated(v, old, old.Pending)
	if err != nil {
		return nil, err
	}
	t.slow.ready(done, endpoint)
	if err := a.commit(v); err != nil {
		return nil, err
	}
	return v.current(done).Outputs, nil
}

func (a *Account) upgradeControlPlane(ctx context.Context, t *Type, o *Object) (Endpoint, error) {
	if a.controlPlanes == nil {
		return Endpoint{}, errors.New("the simulated account was opened without control planes")
	}
	wanted := o.clone()
	wanted.Inputs = o.Pending
	c := t.slow.cluster(wanted)
	endpoint, err := a.controlPlanes.Upgrade(ctx, c.Name, c.Version)
	if err != nil {
		return endpoint, fmt.Errorf("upgrade the control plane of the simulated cluster %q to %s: %w", c.Name, c.Version, err)
	}
	return endpoint, nil
}

func (a *Account) release(o *Object) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.busy, o.key())
}

// recover ends what a killed process left undone. A creation is rolled back,
// because its caller got no answer and will ask again; a deletion or an upgrade
// is finished, because asking again is then no harm.
func (a *Account) recover(ctx context.Context) error {
	a.mu.Lock()
	var unfinished []*Object
	v := a.view()
	for typ, t := range registry {
		if t.slow != nil {
			unfinished = append(unfinished, v.all(typ, func(o *Object) bool { return o.State != "" })...)
		}
	}
	for _, o := range unfinished {
		a.busy[o.key()] = true
	}
	a.mu.Unlock()
	var problems []error
	for _, o := range unfinished {
		t := registry[o.Type]
		var err error
		switch o.State {
		case Creating:
			err = a.rollBack(ctx, t, o)
			a.release(o)
		case Deleting:
			err = a.finishDelete(ctx, t, o)
		case Updating:
			_, err = a.finishUpdate(ctx, t, o)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s %q was being worked on (%s) when the process ended: %w", o.Type, o.ID, o.State, err))
		}
	}
	return errors.Join(problems...)
}
