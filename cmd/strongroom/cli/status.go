package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/internal/fluxstatus"
)

// statusFlags are those of `status`.
type statusFlags struct {
	placeFlags
	json bool
}

// stackStatus is how the cluster of a stack is.
type stackStatus struct {
	Stack   string `json:"stack"`
	Cluster string `json:"cluster"`
	// Flux says whether the cluster was handed over to Flux.
	Flux    bool                `json:"flux"`
	Objects []fluxstatus.Object `json:"objects,omitempty"`
}

func (a *app) statusCommand() *cobra.Command {
	var f statusFlags
	cmd := &cobra.Command{
		Use:   "status [stack...]",
		Short: "Show how far Flux is in the stacks' clusters",
		Long: `Show Flux's objects in the clusters of the stacks, through the kubeconfig that each
stack exports: whether each is ready, suspended or has failed, and why, in one line.
It changes nothing, and fails where an object has failed.` + whereLong,
		Example: `  strongroom status

  strongroom status tooling --json | jq '.[].objects[] | select(.failed)'`,
		ValidArgsFunction: a.completeStacks,
	}
	a.addPlaceFlags(cmd, &f.placeFlags)
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON array with an object per stack, for machines")
	cmd.RunE = func(cmd *cobra.Command, names []string) error { return a.status(cmd.Context(), names, f) }
	return cmd
}

func (a *app) status(parent context.Context, names []string, f statusFlags) error {
	ctx, stop := a.interruptible(parent)
	defer stop()
	p, err := a.goTo(ctx, f.placeFlags, false, a.silent())
	if err != nil {
		return err
	}
	defer p.leave()
	ordered, err := order(p.engine, names)
	if err != nil {
		return err
	}
	var all []stackStatus
	for _, stack := range ordered {
		s, err := a.stackStatus(ctx, p, stack)
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	if f.json {
		err = json.NewEncoder(a.out).Encode(all)
	} else {
		err = writeText(a.out, statusesText(all))
	}
	return errors.Join(err, failedObjects(all))
}

// stackStatus looks into the cluster of one stack.
func (a *app) stackStatus(ctx context.Context, p *place, stack string) (stackStatus, error) {
	s := stackStatus{Stack: stack}
	outputs, err := p.engine.Outputs(ctx, stack)
	if err != nil {
		return s, err
	}
	if _, up := outputs["kubeconfig"].Value.(string); !up {
		return s, fmt.Errorf("stack %q has no output \"kubeconfig\", by which its cluster is reached: bring it up first", stack)
	}
	s.Cluster, _ = outputs["clusterName"].Value.(string)
	if _, s.Flux = outputs["fluxDeployKey"]; !s.Flux {
		return s, nil
	}
	config, err := clusterConfig(p, outputs)
	if err != nil {
		return s, fmt.Errorf("kubeconfig of stack %q: %w", stack, err)
	}
	if s.Objects, err = a.readFlux(ctx, config); err != nil {
		return s, fmt.Errorf("look at Flux in the cluster of stack %q: %w", stack, err)
	}
	return s, nil
}

// clusterConfig reaches the cluster of a stack as the person who asks.
func clusterConfig(p *place, outputs deploy.Outputs) (*rest.Config, error) {
	kubeconfig, _ := outputs["kubeconfig"].Value.(string)
	region, _ := outputs["region"].Value.(string)
	if p.sandbox {
		env := maps.Clone(p.env)
		for _, name := range regionVariables {
			env[name] = region
		}
		return restConfig(kubeconfig, env)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig([]byte(kubeconfig))
	if err != nil {
		return nil, err
	}
	if config.ExecProvider != nil {
		for _, name := range regionVariables {
			config.ExecProvider.Env = append(config.ExecProvider.Env, clientcmdapi.ExecEnvVar{Name: name, Value: region})
		}
	}
	config.Timeout = callLimit
	return config, nil
}

// readFlux lists Flux's objects in a cluster. Kinds that it does not serve have none.
func readFlux(ctx context.Context, config *rest.Config) ([]fluxstatus.Object, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	var all []fluxstatus.Object
	for kind, resource := range fluxstatus.Kinds {
		list, err := client.Resource(resource).List(ctx, metav1.ListOptions{})
		if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", resource.Resource, err)
		}
		for i := range list.Items {
			all = append(all, fluxstatus.Describe(kind, &list.Items[i]))
		}
	}
	return all, nil
}

// shownKinds in the order in which one comes from the other. Those that are left
// out are shown where they are not ready.
var shownKinds = []string{fluxstatus.GitRepository, fluxstatus.Kustomization, fluxstatus.HelmRelease}

func statusesText(all []stackStatus) string {
	var b strings.Builder
	for i, s := range all {
		if i > 0 {
			b.WriteString("\n")
		}
		switch {
		case !s.Flux:
			fmt.Fprintf(&b, "%s: cluster %s is not handed over to Flux: see strongroom:flux in docs/gitops.md\n", s.Stack, s.Cluster)
			continue
		case len(s.Objects) == 0:
			fmt.Fprintf(&b, "%s: cluster %s has no objects of Flux: its controllers have not begun, or are gone\n", s.Stack, s.Cluster)
			continue
		}
		ready := 0
		for _, o := range s.Objects {
			if o.Ready {
				ready++
			}
		}
		fmt.Fprintf(&b, "%s: cluster %s, %d of %s of Flux ready\n", s.Stack, s.Cluster, ready, plural(len(s.Objects), "object"))
		b.WriteString(columns(statusRows(s.Objects)))
	}
	return b.String()
}

func statusRows(objects []fluxstatus.Object) [][]string {
	shown := slices.DeleteFunc(slices.Clone(objects), func(o fluxstatus.Object) bool {
		return o.Ready && !o.Suspended && !slices.Contains(shownKinds, o.Kind)
	})
	place := func(o fluxstatus.Object) int {
		if i := slices.Index(shownKinds, o.Kind); i >= 0 {
			return i
		}
		return len(shownKinds)
	}
	slices.SortFunc(shown, func(x, y fluxstatus.Object) int {
		if d := place(x) - place(y); d != 0 {
			return d
		}
		return strings.Compare(x.Kind+x.ID(), y.Kind+y.ID())
	})
	rows := [][]string{{"  kind", "name", "state", "why"}}
	for _, o := range shown {
		rows = append(rows, []string{"  " + o.Kind, o.ID(), stateOf(o), o.Reason})
	}
	return rows
}

// stateOf is one word for how an object is.
func stateOf(o fluxstatus.Object) string {
	switch {
	case o.Suspended:
		return "suspended"
	case o.Ready:
		return "ready"
	case o.Failed:
		return "FAILED"
	}
	return "waiting"
}

// failedObjects is an error where something was tried and did not succeed.
func failedObjects(all []stackStatus) error {
	var failed []string
	for _, s := range all {
		for _, o := range s.Objects {
			if o.Failed && !o.Suspended {
				failed = append(failed, fmt.Sprintf("%s of %s", o.Kind+" "+o.ID(), s.Stack))
			}
		}
	}
	if len(failed) == 0 {
		return nil
	}
	slices.Sort(failed)
	return fmt.Errorf("not everything is as the tree says: failed are %s", list(failed))
}
