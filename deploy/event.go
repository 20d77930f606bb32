package deploy

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// Phase is what is being done to a stack.
type Phase string

const (
	PhaseUp      Phase = "up"
	PhasePreview Phase = "preview"
	PhaseRefresh Phase = "refresh"
	PhaseDestroy Phase = "destroy"
)

// Kind says which fields of an Event carry something.
type Kind string

const (
	// KindStart: the run begins; Counts.Total is what the state holds.
	KindStart Kind = "start"
	// KindStep: an operation on a resource starts, ends or fails.
	KindStep Kind = "step"
	// KindDiagnostic: the engine or a provider says something; see Severity.
	KindDiagnostic Kind = "diagnostic"
	// KindNotice: this package says what it did, such as removing a stale lock.
	KindNotice Kind = "notice"
	// KindSummary: the run ended; Changes counts what it did.
	KindSummary Kind = "summary"
)

// Status of a step.
type Status string

const (
	StatusStarted Status = "started"
	StatusDone    Status = "done"
	// StatusPlanned: a preview says that the step would be done.
	StatusPlanned Status = "planned"
	StatusFailed  Status = "failed"
)

// StackType is the type of the resource that stands for the stack itself.
const StackType = "pulumi:pulumi:Stack"

// Counts of steps so far in a run.
type Counts struct {
	// Done steps, unchanged resources included.
	Done int `json:"done"`
	// Running steps: started and not ended.
	Running int `json:"running"`
	// Failed steps.
	Failed int `json:"failed,omitempty"`
	// Total is the number of resources the state held before the run; 0 if none.
	Total int `json:"total,omitempty"`
}

// Event is one thing that happened in a run. It never holds the value of a
// resource's property, so that no secret can be in it; Changed and Replaces give
// the properties' names only.
type Event struct {
	Time  time.Time `json:"time"`
	Stack string    `json:"stack"`
	Phase Phase     `json:"phase"`
	Kind  Kind      `json:"kind"`

	// Op is the engine's word: create, update, delete, replace, same, read,
	// refresh, create-replacement, delete-replaced, import.
	Op     string `json:"op,omitempty"`
	URN    string `json:"urn,omitempty"`
	Type   string `json:"type,omitempty"`
	Name   string `json:"name,omitempty"`
	ID     string `json:"id,omitempty"`
	Status Status `json:"status,omitempty"`
	// Component: the resource groups others and is not itself in the account.
	Component bool `json:"component,omitempty"`
	// Changed are the paths of the properties that differ, sorted.
	Changed []string `json:"changed,omitempty"`
	// Replaces are those of them that make the resource be replaced, sorted.
	Replaces []string `json:"replaces,omitempty"`

	// Severity of a diagnostic: info, warning or error.
	Severity string `json:"severity,omitempty"`
	Message  string `json:"message,omitempty"`
	// Passing: the message is about what is under way and soon out of date.
	Passing bool `json:"passing,omitempty"`

	// Seconds that the step or the run took.
	Seconds float64        `json:"seconds,omitempty"`
	Changes map[string]int `json:"changes,omitempty"`
	Counts  Counts         `json:"counts"`
}

// Changing reports whether the step alters something, in the account or in the
// plan of a preview.
func (e Event) Changing() bool {
	return e.Kind == KindStep && e.Op != "same" && e.Op != "read" && e.Op != "refresh"
}

// normalizer turns the engine's events into this package's. It is not safe for
// use by several goroutines.
type normalizer struct {
	stack   string
	phase   Phase
	now     func() time.Time
	begun   time.Time
	running map[step]time.Time
	counts  Counts
}

// step identifies an operation that is under way: a replacement runs several on
// one URN.
type step struct{ urn, op string }

func newNormalizer(stack string, phase Phase, total int, now func() time.Time) *normalizer {
	return &normalizer{
		stack: stack, phase: phase, now: now, begun: now(),
		running: map[step]time.Time{}, counts: Counts{Total: total},
	}
}

// event starts an event with what all of them have.
func (n *normalizer) event(kind Kind) Event {
	n.counts.Running = len(n.running)
	return Event{Time: n.now(), Stack: n.stack, Phase: n.phase, Kind: kind, Counts: n.counts}
}

// next translates one event of the engine; ok is false for those that say
// nothing to a person.
func (n *normalizer) next(e apitype.EngineEvent) (_ Event, ok bool) {
	switch {
	case e.ResourcePreEvent != nil:
		return n.started(e.ResourcePreEvent.Metadata)
	case e.ResOutputsEvent != nil:
		status := StatusDone
		if e.ResOutputsEvent.Planning {
			status = StatusPlanned
		}
		return n.ended(e.ResOutputsEvent.Metadata, status)
	case e.ResOpFailedEvent != nil:
		return n.ended(e.ResOpFailedEvent.Metadata, StatusFailed)
	case e.DiagnosticEvent != nil:
		return n.diagnostic(e.DiagnosticEvent)
	case e.StdoutEvent != nil:
		return n.said("", "info", e.StdoutEvent.Message, false)
	case e.ErrorEvent != nil:
		return n.said("", "error", e.ErrorEvent.Error, false)
	case e.SummaryEvent != nil:
		return n.summary(e.SummaryEvent)
	}
	return Event{}, false
}

func (n *normalizer) started(m apitype.StepEventMetadata) (Event, bool) {
	op := string(m.Op)
	if op == "same" {
		return Event{}, false
	}
	n.running[step{m.URN, op}] = n.now()
	return n.step(m, StatusStarted), true
}

func (n *normalizer) ended(m apitype.StepEventMetadata, status Status) (Event, bool) {
	id := step{m.URN, string(m.Op)}
	begun, known := n.running[id]
	if !known {
		// A refresh starts as "refresh" and ends as what it found.
		id.op = "refresh"
		begun, known = n.running[id]
	}
	delete(n.running, id)
	if status == StatusFailed {
		n.counts.Failed++
	} else {
		n.counts.Done++
	}
	e := n.step(m, status)
	if known {
		e.Seconds = seconds(n.now().Sub(begun))
	}
	return e, true
}

func (n *normalizer) step(m apitype.StepEventMetadata, status Status) Event {
	e := n.event(KindStep)
	e.Op, e.Status = string(m.Op), status
	e.URN, e.Type, e.Name = m.URN, m.Type, nameOf(m.URN)
	state := m.New
	if state == nil {
		state = m.Old
	}
	if state != nil {
		e.Component, e.ID = !state.Custom, state.ID
	}
	e.Changed = paths(m)
	e.Replaces = slices.Sorted(slices.Values(m.Keys))
	return e
}

// paths are the names of the properties that differ.
func paths(m apitype.StepEventMetadata) []string {
	if len(m.DetailedDiff) > 0 {
		return slices.Sorted(maps.Keys(m.DetailedDiff))
	}
	return slices.Sorted(slices.Values(m.Diffs))
}

func (n *normalizer) diagnostic(d *apitype.DiagnosticEvent) (Event, bool) {
	severity := d.Severity
	switch severity {
	case "debug":
		return Event{}, false
	case "info#err":
		severity = "info"
	}
	return n.said(d.URN, severity, d.Message, d.Ephemeral)
}

func (n *normalizer) said(urn, severity, message string, passing bool) (Event, bool) {
	e := n.event(KindDiagnostic)
	e.Severity, e.Passing = severity, passing
	e.Message = plain(message)
	e.URN, e.Type, e.Name = urn, typeOf(urn), nameOf(urn)
	return e, e.Message != ""
}

func (n *normalizer) summary(s *apitype.SummaryEvent) (Event, bool) {
	e := n.event(KindSummary)
	e.Changes = map[string]int{}
	for op, count := range s.ResourceChanges {
		e.Changes[string(op)] = count
	}
	e.Seconds = seconds(n.now().Sub(n.begun))
	return e, true
}

// notice is an event of this package's own.
func (n *normalizer) notice(message string) Event {
	e := n.event(KindNotice)
	e.Severity, e.Message = "info", message
	return e
}

func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }

// Colour, as the engine marks it (<{%reset%}>) and as terminals take it.
var colour = regexp.MustCompile(`<\{%[^%]*%\}>|\x1b\[[0-9;]*m`)

func plain(message string) string {
	return strings.TrimSpace(colour.ReplaceAllString(message, ""))
}

// nameOf is the last part of a URN
// (urn:pulumi:<stack>::<project>::<parents' types>$<type>::<name>).
func nameOf(urn string) string {
	_, rest, ok := cutN(urn, "::", 3)
	if !ok {
		return ""
	}
	return rest
}

// typeOf is the type in a URN, without the types of its parents.
func typeOf(urn string) string {
	head, _, ok := cutN(urn, "::", 3)
	if !ok {
		return ""
	}
	typ := head[strings.LastIndex(head, "::")+2:]
	return typ[strings.LastIndex(typ, "$")+1:]
}

// cutN cuts s around the n-th separator; names may hold further ones.
func cutN(s, separator string, n int) (before, after string, ok bool) {
	at := 0
	for range n {
		i := strings.Index(s[at:], separator)
		if i < 0 {
			return s, "", false
		}
		at += i + len(separator)
	}
	return s[:at-len(separator)], s[at:], true
}
