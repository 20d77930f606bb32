package cli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/deploy"
)

// Proves what a person reads for each kind of step.
func TestFinished(t *testing.T) {
	step := func(phase deploy.Phase, op string, status deploy.Status, change func(*deploy.Event)) deploy.Event {
		e := deploy.Event{Stack: "tooling", Phase: phase, Kind: deploy.KindStep, Op: op, Status: status, Type: "aws:ec2/subnet:Subnet", Name: "a"}
		if change != nil {
			change(&e)
		}
		return e
	}
	changed := func(e *deploy.Event) { e.Changed = []string{"cidrBlock", "tags"} }
	replaces := func(e *deploy.Event) { e.Changed, e.Replaces = []string{"cidrBlock", "tags"}, []string{"cidrBlock"} }
	component := func(e *deploy.Event) { e.Component = true }
	for name, tt := range map[string]struct {
		event deploy.Event
		want  string
	}{
		"created":            {step(deploy.PhaseUp, "create", deploy.StatusDone, func(e *deploy.Event) { e.Seconds = 1.26 }), "tooling: created aws:ec2/subnet:Subnet a (1.3 s)"},
		"updated":            {step(deploy.PhaseUp, "update", deploy.StatusDone, changed), "tooling: updated aws:ec2/subnet:Subnet a [cidrBlock, tags]"},
		"deleted":            {step(deploy.PhaseDestroy, "delete", deploy.StatusDone, nil), "tooling: deleted aws:ec2/subnet:Subnet a"},
		"replacement":        {step(deploy.PhaseUp, "create-replacement", deploy.StatusDone, replaces), "tooling: created the replacement of aws:ec2/subnet:Subnet a because of cidrBlock"},
		"replaced":           {step(deploy.PhaseUp, "delete-replaced", deploy.StatusDone, replaces), "tooling: deleted the former aws:ec2/subnet:Subnet a"},
		"its logical step":   {step(deploy.PhaseUp, "replace", deploy.StatusDone, replaces), ""},
		"unchanged":          {step(deploy.PhaseUp, "same", deploy.StatusDone, nil), ""},
		"planned":            {step(deploy.PhasePreview, "replace", deploy.StatusPlanned, replaces), "tooling: would replace aws:ec2/subnet:Subnet a because of cidrBlock"},
		"planned half":       {step(deploy.PhasePreview, "create-replacement", deploy.StatusPlanned, replaces), ""},
		"failed":             {step(deploy.PhaseUp, "create", deploy.StatusFailed, nil), "tooling: FAILED creating aws:ec2/subnet:Subnet a"},
		"component":          {step(deploy.PhaseUp, "create", deploy.StatusDone, component), ""},
		"component failed":   {step(deploy.PhaseUp, "create", deploy.StatusFailed, component), "tooling: FAILED creating aws:ec2/subnet:Subnet a"},
		"drift":              {step(deploy.PhaseRefresh, "update", deploy.StatusDone, changed), "tooling: found updated aws:ec2/subnet:Subnet a [cidrBlock, tags]"},
		"gone":               {step(deploy.PhaseRefresh, "delete", deploy.StatusDone, nil), "tooling: found deleted aws:ec2/subnet:Subnet a"},
		"unknown to us":      {step(deploy.PhaseUp, "transmogrify", deploy.StatusDone, nil), "tooling: transmogrify aws:ec2/subnet:Subnet a"},
		"an unknown fails":   {step(deploy.PhaseUp, "transmogrify", deploy.StatusFailed, nil), "tooling: FAILED transmogrify aws:ec2/subnet:Subnet a"},
		"the stack's record": {step(deploy.PhaseUp, "create", deploy.StatusDone, func(e *deploy.Event) { e.Type = deploy.StackType }), ""},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.want, finished(tt.event)) })
	}
}

// Proves that a terminal shows what is under way and keeps only what people ask
// about afterwards, and that errors are left to the end.
func TestEventsOnATerminal(t *testing.T) {
	b, out, _ := still(true)
	b.width = func() int { return 100 }
	r := &reporter{board: b}
	event := func(op string, status deploy.Status) {
		r.event(deploy.Event{
			Stack: "tooling", Phase: deploy.PhaseUp, Kind: deploy.KindStep, Op: op, Status: status, URN: "urn:" + op,
			Type: "aws:ec2/vpc:Vpc", Name: "v", Counts: deploy.Counts{Done: 1},
		})
	}
	say := func(severity, message string, passing bool) {
		r.event(deploy.Event{Stack: "tooling", Kind: deploy.KindDiagnostic, Severity: severity, Message: message, Passing: passing, Type: "aws:ec2/vpc:Vpc", Name: "v"})
	}
	r.phase("up tooling")
	event("create", deploy.StatusStarted)
	b.refresh()
	require.Contains(t, out.String(), "  creating aws:ec2/vpc:Vpc v (0 s)\n")
	event("create", deploy.StatusDone)
	event("update", deploy.StatusDone)
	event("delete", deploy.StatusFailed)
	say("warning", "mind this", false)
	say("info", "soon out of date", true)
	say("error", "told at the end", false)
	r.event(deploy.Event{Stack: "tooling", Kind: deploy.KindNotice, Message: "removed a lock"})
	b.Close()
	require.Equal(t, []string{
		"tooling: updated aws:ec2/vpc:Vpc v",
		"tooling: FAILED deleting aws:ec2/vpc:Vpc v",
		"tooling: aws:ec2/vpc:Vpc v: warning: mind this",
		"tooling: removed a lock",
	}, screen(t, out.String()))
}

func TestChangesOf(t *testing.T) {
	require.Equal(t, "2 created, 1 replaced, 3 unchanged", changesOf(deploy.PhaseUp, map[string]int{"same": 3, "create": 2, "replace": 1}))
	require.Equal(t, "2 to create", changesOf(deploy.PhasePreview, map[string]int{"create": 2}))
	require.Equal(t, "nothing there", changesOf(deploy.PhaseDestroy, nil))
}
