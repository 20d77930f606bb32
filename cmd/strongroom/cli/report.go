package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/sandbox/flux/charts"
	"github.com/strongroom-platform/strongroom/sandbox/toolchain"
)

// reporter tells how work goes on: for people through a board, for machines as
// one JSON object per line.
type reporter struct {
	board *board

	mu   sync.Mutex
	json *json.Encoder
	now  func() time.Time
	// sandbox: AWS is simulated, and its own plugins are used on purpose.
	sandbox bool
	// broken is the first failure to write JSON, which a machine must learn of.
	broken error
}

func (a *app) newReporter(asJSON bool) *reporter {
	if asJSON {
		return &reporter{json: json.NewEncoder(a.out), now: a.now}
	}
	return &reporter{board: a.newBoard(), now: a.now}
}

// close ends the display and sends later messages to standard error.
func (a *app) close(r *reporter) {
	if r.board != nil {
		r.board.Close()
	}
	a.route(nil)
}

func (r *reporter) encode(value any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.json.Encode(value); err != nil && r.broken == nil {
		r.broken = fmt.Errorf("write JSON: %w", err)
	}
}

// phaseLine is the JSON of a phase that begins.
type phaseLine struct {
	Time  time.Time `json:"time"`
	Kind  string    `json:"kind"` // "phase"
	Phase string    `json:"phase"`
}

// noteLine is the JSON of a message for people.
type noteLine struct {
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"` // "note"
	Message string    `json:"message"`
}

// toolLine is the JSON of a step of the toolchain.
type toolLine struct {
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"` // "tool"
	Tool    string    `json:"tool,omitempty"`
	State   string    `json:"state"`
	Detail  string    `json:"detail,omitempty"`
	Seconds float64   `json:"seconds,omitempty"`
	Done    int       `json:"done"`
	Total   int       `json:"total"`
}

// phase begins a part of the work.
func (r *reporter) phase(name string) {
	if r.json != nil {
		r.encode(phaseLine{r.now(), "phase", name})
		return
	}
	r.board.Phase(name)
}

// say passes a message on.
func (r *reporter) say(message string) {
	if r.json != nil {
		r.encode(noteLine{r.now(), "note", message})
		return
	}
	r.board.Say(message)
}

// tool passes on how the tools are built.
func (r *reporter) tool(e toolchain.Event) {
	if r.json != nil {
		r.encode(toolLine{r.now(), "tool", e.Tool, string(e.State), e.Detail, e.Took.Seconds(), e.Done, e.Total})
		return
	}
	name := e.Tool
	if e.Detail != "" {
		name += " (" + e.Detail + ")"
	}
	r.board.Count(e.Done, e.Total)
	switch e.State {
	case toolchain.Waiting:
		r.board.Say("tools: waiting, " + e.Detail)
	case toolchain.Building:
		r.board.Begin(e.Tool, "building "+name)
		if !r.board.live {
			r.board.Say("tools: building " + name)
		}
	case toolchain.Built:
		r.board.End(e.Tool)
		r.board.Say(fmt.Sprintf("tools: built %s in %s, %d of %d", name, clock(e.Took), e.Done, e.Total))
	case toolchain.System:
		r.board.Say(fmt.Sprintf("tools: %s is the machine's own (%s)", e.Tool, e.Detail))
	case toolchain.Failed:
		r.board.End(e.Tool)
		r.board.Say(fmt.Sprintf("tools: %s failed after %s", name, clock(e.Took)))
	case toolchain.Current:
	}
}

// chartLine is the JSON of a chart that is fetched.
type chartLine struct {
	Time           time.Time  `json:"time"`
	Kind           string     `json:"kind"` // "chart"
	Chart          charts.Pin `json:"chart"`
	State          string     `json:"state"` // "fetching", "fetched", "there", "failed"
	Bytes          int        `json:"bytes,omitempty"`
	CheckedAgainst string     `json:"checkedAgainst,omitempty"`
	Error          string     `json:"error,omitempty"`
	Done           int        `json:"done"`
	Total          int        `json:"total"`
}

// chart passes on how the charts are fetched.
func (r *reporter) chart(f charts.Fetched) {
	if r.json != nil {
		line := chartLine{Time: r.now(), Kind: "chart", Chart: f.Chart, State: "fetched", Bytes: f.Bytes, CheckedAgainst: f.CheckedAgainst, Done: f.Done, Total: f.Total}
		switch {
		case f.Begun:
			line.State = "fetching"
		case f.Err != nil:
			line.State, line.Error = "failed", f.Err.Error()
		case f.Already:
			line.State = "there"
		}
		r.encode(line)
		return
	}
	key := "chart " + f.Chart.String()
	r.board.Count(f.Done, f.Total)
	if f.Begun {
		r.board.Begin(key, fmt.Sprintf("fetching %s from %s", f.Chart, f.Chart.Host()))
		return
	}
	r.board.End(key)
	switch {
	case f.Err != nil:
		r.board.Say(fmt.Sprintf("charts: %s could not be fetched from %s", f.Chart, f.Chart.Host()))
	case !f.Already:
		r.board.Say(fmt.Sprintf("charts: fetched %s from %s (%d kB, checked against %s)", f.Chart, f.Chart.Host(), (f.Bytes+1023)>>10, f.CheckedAgainst))
	}
}

// event passes on what happens to a stack.
func (r *reporter) event(e deploy.Event) {
	if r.json != nil {
		r.encode(e)
		return
	}
	r.board.Count(e.Counts.Done, e.Counts.Total)
	switch e.Kind {
	case deploy.KindStep:
		key := e.URN + " " + e.Op
		if e.Status == deploy.StatusStarted {
			if !e.Component {
				r.board.Begin(key, underWay(e))
			}
			return
		}
		r.board.End(key)
		r.board.End(e.URN + " refresh")
		if line := finished(e); line != "" && r.worthALine(e) {
			r.board.Say(line)
		}
	case deploy.KindDiagnostic:
		// Errors are in the error of the run, where they are not lost in what
		// comes after them.
		meant := r.sandbox && onPurpose.MatchString(e.Message)
		if !e.Passing && e.Severity != "error" && !meant {
			r.board.Say(diagnostic(e))
		}
	case deploy.KindNotice:
		r.board.Say(e.Stack + ": " + e.Message)
	case deploy.KindStart, deploy.KindSummary:
	}
}

// worthALine: on a terminal what is made and deleted is seen while it is under
// way, so only what people ask about afterwards stays.
func (r *reporter) worthALine(e deploy.Event) bool {
	if !r.board.live || e.Status != deploy.StatusDone {
		return true
	}
	return e.Op != "create" && e.Op != "delete"
}

// onPurpose are the engine's warnings about plugins that come from PATH, which is
// how the sandbox replaces the official ones. They are in its logs.
var onPurpose = regexp.MustCompile(`^(using pulumi-resource-\S+ from \$PATH at|resource plugin \S+ is expected to have version)`)

// diagnostic is a message of the engine or a provider.
func diagnostic(e deploy.Event) string {
	at := e.Stack
	if e.Name != "" && e.Type != deploy.StackType {
		at += ": " + e.Type + " " + e.Name
	}
	if e.Severity == "warning" {
		at += ": warning"
	}
	return at + ": " + strings.ReplaceAll(e.Message, "\n", "\n    ")
}

// words are the engine's words for a step as people say them.
var words = map[string]struct{ doing, did, would string }{
	"create":             {"creating", "created", "create"},
	"update":             {"updating", "updated", "update"},
	"delete":             {"deleting", "deleted", "delete"},
	"replace":            {"replacing", "replaced", "replace"},
	"create-replacement": {"creating the replacement of", "created the replacement of", ""},
	"delete-replaced":    {"deleting the former", "deleted the former", ""},
	"read":               {"reading", "read", ""},
	"refresh":            {"reading", "", ""},
	"import":             {"importing", "imported", "import"},
	"import-replacement": {"importing the replacement of", "imported the replacement of", ""},
	"discard":            {"dropping", "dropped", "drop"},
	"discard-replaced":   {"dropping the former", "dropped the former", ""},
	"remove-pending-replace": {
		"completing the replacement of", "", "",
	},
}

// underWay says what a step is doing.
func underWay(e deploy.Event) string {
	doing := words[e.Op].doing
	if doing == "" {
		doing = e.Op
	}
	return doing + " " + e.Type + " " + e.Name
}

// finished says what a step did, or would do; empty where that is nothing.
func finished(e deploy.Event) string {
	if e.Component || strings.HasPrefix(e.Type, "pulumi:") {
		if e.Status != deploy.StatusFailed {
			return ""
		}
	}
	word, known := words[e.Op]
	what := e.Type + " " + e.Name
	switch e.Status {
	case deploy.StatusFailed:
		return fmt.Sprintf("%s: FAILED %s%s", e.Stack, underWay(e), took(e))
	case deploy.StatusPlanned:
		if !known || word.would == "" {
			return ""
		}
		return fmt.Sprintf("%s: would %s %s%s", e.Stack, word.would, what, why(e))
	case deploy.StatusDone:
		switch {
		// The engine reports a replacement's two halves on their own.
		case e.Op == "same", e.Op == "replace", e.Op == "read", known && word.did == "":
			return ""
		case !known:
			return fmt.Sprintf("%s: %s %s%s", e.Stack, e.Op, what, took(e))
		case e.Phase == deploy.PhaseRefresh:
			return fmt.Sprintf("%s: found %s %s%s", e.Stack, word.did, what, why(e))
		}
		return fmt.Sprintf("%s: %s %s%s%s", e.Stack, word.did, what, why(e), took(e))
	case deploy.StatusStarted:
	}
	return ""
}

// why names the properties that make the difference.
func why(e deploy.Event) string {
	if len(e.Replaces) > 0 && e.Op != "delete-replaced" {
		return fmt.Sprintf(" because of %s", strings.Join(e.Replaces, ", "))
	}
	if len(e.Changed) > 0 && e.Op != "delete-replaced" {
		return fmt.Sprintf(" [%s]", strings.Join(e.Changed, ", "))
	}
	return ""
}

func took(e deploy.Event) string {
	if e.Seconds < 0.1 {
		return ""
	}
	return fmt.Sprintf(" (%.1f s)", e.Seconds)
}

// changesOf sums a run up: 3 created, 1 updated, 90 unchanged.
func changesOf(phase deploy.Phase, changes map[string]int) string {
	order := []struct{ op, did, would string }{
		{"create", "created", "to create"},
		{"import", "imported", "to import"},
		{"update", "updated", "to update"},
		{"replace", "replaced", "to replace"},
		{"delete", "deleted", "to delete"},
		{"same", "unchanged", "unchanged"},
	}
	var parts []string
	for _, word := range order {
		if n := changes[word.op]; n > 0 {
			said := word.did
			if phase == deploy.PhasePreview {
				said = word.would
			}
			parts = append(parts, fmt.Sprintf("%d %s", n, said))
		}
	}
	if len(parts) == 0 {
		return "nothing there"
	}
	return strings.Join(parts, ", ")
}

// writeText writes to a person; the error is that of the command.
func writeText(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}
