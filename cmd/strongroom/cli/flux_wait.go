package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/internal/fluxstatus"
	"github.com/strongroom-platform/strongroom/sandbox"
	"github.com/strongroom-platform/strongroom/sandbox/flux"
)

const (
	// fluxLimit is how long Flux may take until everything is ready; a minute is
	// usual, on a machine that compiles at the same time it is more.
	fluxLimit = 6 * time.Minute
	// fluxPoll is how often it is asked, fluxQuiet after how long without news
	// it is said what is waited for.
	fluxPoll  = 300 * time.Millisecond
	fluxQuiet = 20 * time.Second
)

// handedOver finds the cluster that a stack handed over to Flux, if it did.
func handedOver(result *deploy.Result) (cluster string, yes bool) {
	if _, yes = result.Outputs["fluxDeployKey"]; !yes {
		return "", false
	}
	cluster, yes = result.Outputs["clusterName"].Value.(string)
	return cluster, yes
}

// awaitFlux makes Flux look at the working tree and waits until all of it is in
// place in the clusters.
func (a *app) awaitFlux(ctx context.Context, r *reporter, b box, clusters []string) error {
	if len(clusters) == 0 {
		return nil
	}
	r.phase("waiting for Flux")
	revision, err := b.Reconcile(ctx)
	if err != nil {
		return fmt.Errorf("hand the working tree to Flux: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, fluxLimit, fmt.Errorf("not ready after %s", clock(fluxLimit)))
	defer cancel()
	w := &fluxWait{say: r.say, revision: revision, clusters: clusters, told: map[string]bool{}, spoke: a.now()}
	tick := time.NewTicker(fluxPoll)
	defer tick.Stop()
	for {
		status, err := b.Status(ctx)
		if err == nil && w.look(status, a.now()) {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for Flux: %w: %s", context.Cause(ctx), strings.Join(w.left, "; "))
		case <-tick.C:
		}
	}
}

// fluxWait says what becomes ready and remembers what is left.
type fluxWait struct {
	say      func(string)
	revision string
	clusters []string
	told     map[string]bool
	spoke    time.Time
	left     []string
}

// look takes a status in and reports whether everything is ready.
func (w *fluxWait) look(s *sandbox.Status, now time.Time) bool {
	w.left = nil
	var waiting, failed []string
	for _, cluster := range w.clusters {
		f := fluxOf(s, cluster)
		for _, o := range f.Objects {
			if key := cluster + " " + o.ID(); o.Kind == fluxstatus.Kustomization && o.Ready && !w.told[key] {
				w.told[key] = true
				w.spoke = now
				w.say(fmt.Sprintf("flux: %s: %s is ready", cluster, o.Name))
			}
		}
		for _, o := range f.Unready(w.revision) {
			w.left = append(w.left, fmt.Sprintf("%s: %s: %s", cluster, o.Name, o.Reason))
			if o.Failed {
				failed = append(failed, w.left[len(w.left)-1])
			}
			if key := cluster + " " + o.ID() + o.Reason; o.Failed && !w.told[key] {
				w.told[key] = true
				w.spoke = now
				w.say(fmt.Sprintf("flux: %s: %s failed and is tried again: %s", cluster, o.Name, o.Reason))
			}
			waiting = append(waiting, cluster+"/"+o.Name)
		}
		if f.Failure != "" {
			w.left = append(w.left, cluster+": "+f.Failure)
		}
	}
	if len(failed) > 0 {
		w.left = failed // the rest waits for these
	}
	if len(w.left) > 0 && now.Sub(w.spoke) >= fluxQuiet {
		w.spoke = now
		w.say("flux: waiting for " + list(waiting))
	}
	return len(w.left) == 0
}

// fluxOf is Flux of one cluster.
func fluxOf(s *sandbox.Status, cluster string) flux.Status {
	for _, f := range s.Flux {
		if f.Cluster == cluster {
			return f
		}
	}
	return flux.Status{Cluster: cluster}
}

// writeFlux writes how Flux is in the clusters: its Kustomizations in the order in
// which they became ready, and which releases are of real charts and which of stubs.
func writeFlux(b *strings.Builder, all []flux.Status) {
	for _, f := range all {
		if len(f.Controllers) == 0 && f.Failure == "" {
			continue
		}
		fmt.Fprintf(b, "\nFlux in cluster %s (real: %s)\n", f.Cluster, list(slices.Sorted(maps.Keys(f.Controllers))))
		if f.Failure != "" {
			fmt.Fprintf(b, "  it does not run as it should: %s\n", f.Failure)
		}
		rows := [][]string{{"  Kustomization", "ready at", "after start", "after which"}}
		releases := [][]string{{"  HelmRelease", "chart", ""}}
		for _, o := range f.Objects {
			switch o.Kind {
			case fluxstatus.Kustomization:
				rows = append(rows, kustomizationRow(f, o))
			case fluxstatus.HelmRelease:
				releases = append(releases, []string{"  " + o.ID(), o.Chart, whichChart(o)})
			}
		}
		b.WriteString(columns(rows))
		if held, edges := heldEdges(f); edges > 0 {
			fmt.Fprintf(b, "  the order of %d of %d dependsOn edges is seen in these times\n", held, edges)
		}
		if len(releases) > 1 {
			slices.SortFunc(releases[1:], slices.Compare[[]string])
			b.WriteString(columns(releases))
		}
	}
}

// whichChart says what a release has installed.
func whichChart(o flux.Object) string {
	switch {
	case o.Chart == "":
		return "not installed: " + o.Reason
	case o.Stub:
		return "STUB: records its values and runs nothing"
	default:
		return "real chart; no Pod of it runs"
	}
}

func kustomizationRow(f flux.Status, o flux.Object) []string {
	at, after := "not ready", ""
	switch {
	case o.Suspended:
		at = "suspended"
	case o.Ready:
		at = o.ReadyAt.Local().Format(time.TimeOnly)
		after = fmt.Sprintf("%.1f s", o.ReadyAt.Sub(f.Since).Seconds())
	}
	var before []string
	for _, id := range o.DependsOn {
		before = append(before, id[strings.LastIndex(id, "/")+1:])
	}
	last := strings.Join(before, ", ")
	if !o.Ready && o.Reason != "" {
		last = strings.TrimPrefix(last+": "+o.Reason, ": ")
	}
	return []string{"  " + o.Name, at, after, last}
}

// heldEdges counts the edges of dependsOn, and those whose order the times show.
func heldEdges(f flux.Status) (held, edges int) {
	byID := map[string]flux.Object{}
	for _, o := range f.Objects {
		byID[o.Kind+" "+o.ID()] = o
	}
	for _, o := range f.Objects {
		for _, before := range o.DependsOn {
			edges++
			first := byID[o.Kind+" "+before]
			if !first.ReadyAt.IsZero() && !o.ReadyAt.IsZero() && !o.ReadyAt.Before(first.ReadyAt) {
				held++
			}
		}
	}
	return held, edges
}
