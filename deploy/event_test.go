package deploy

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const vpcURN = "urn:pulumi:tooling::strongroom::strongroom:network:Network$aws:ec2/vpc:Vpc::network-vpc"

// clock is a time that moves only when it is told to.
type clock struct{ at time.Time }

func (c *clock) now() time.Time          { return c.at }
func (c *clock) advance(d time.Duration) { c.at = c.at.Add(d) }

func TestStepHasDurationAndCounts(t *testing.T) {
	c := &clock{at: time.Unix(1000, 0)}
	n := newNormalizer("tooling", PhaseUp, 7, c.now)
	meta := apitype.StepEventMetadata{
		Op: "create", URN: vpcURN, Type: "aws:ec2/vpc:Vpc",
		New: &apitype.StepEventStateMetadata{Custom: true},
	}

	started, ok := n.next(apitype.EngineEvent{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: meta}})
	require.True(t, ok)
	assert.Equal(t, StatusStarted, started.Status)
	assert.Equal(t, "network-vpc", started.Name)
	assert.Equal(t, Counts{Done: 0, Running: 1, Total: 7}, started.Counts)

	c.advance(1500 * time.Millisecond)
	meta.New.ID = "vpc-1"
	done, ok := n.next(apitype.EngineEvent{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: meta}})
	require.True(t, ok)
	assert.Equal(t, StatusDone, done.Status)
	assert.Equal(t, 1.5, done.Seconds)
	assert.Equal(t, "vpc-1", done.ID)
	assert.False(t, done.Component)
	assert.Equal(t, Counts{Done: 1, Running: 0, Total: 7}, done.Counts)
}

func TestStepStatus(t *testing.T) {
	meta := func(op string) apitype.StepEventMetadata {
		return apitype.StepEventMetadata{Op: apitype.OpType(op), URN: vpcURN, Type: "aws:ec2/vpc:Vpc", New: &apitype.StepEventStateMetadata{}}
	}
	for name, c := range map[string]struct {
		event    apitype.EngineEvent
		reported bool
		status   Status
		changing bool
	}{
		"planned":         {apitype.EngineEvent{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: meta("update"), Planning: true}}, true, StatusPlanned, true},
		"failed":          {apitype.EngineEvent{ResOpFailedEvent: &apitype.ResOpFailedEvent{Metadata: meta("delete")}}, true, StatusFailed, true},
		"unchanged ends":  {apitype.EngineEvent{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: meta("same")}}, true, StatusDone, false},
		"unchanged start": {apitype.EngineEvent{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: meta("same")}}, false, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			e, ok := newNormalizer("tooling", PhaseUp, 0, time.Now).next(c.event)
			require.Equal(t, c.reported, ok)
			assert.Equal(t, c.status, e.Status)
			assert.Equal(t, c.changing, ok && e.Changing())
		})
	}
}

// The three steps of a replacement are told apart though their URN is the same.
func TestReplacementStepsAreTimedApart(t *testing.T) {
	c := &clock{at: time.Unix(1000, 0)}
	n := newNormalizer("tooling", PhaseUp, 0, c.now)
	pre := func(op apitype.OpType) {
		n.next(apitype.EngineEvent{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: apitype.StepEventMetadata{Op: op, URN: vpcURN}}})
	}
	end := func(op apitype.OpType) Event {
		e, _ := n.next(apitype.EngineEvent{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: apitype.StepEventMetadata{Op: op, URN: vpcURN}}})
		return e
	}
	pre("create-replacement")
	c.advance(2 * time.Second)
	pre("replace")
	c.advance(time.Second)
	assert.Equal(t, 1.0, end("replace").Seconds)
	last := end("create-replacement")
	assert.Equal(t, 3.0, last.Seconds)
	assert.Zero(t, last.Counts.Running)
}

// Values never reach an event, whether or not the engine marked them as secret.
func TestEventHoldsNoValues(t *testing.T) {
	const secret = "hunter2-in-the-inputs"
	values := map[string]any{"password": secret, "tags": map[string]any{"k": secret}}
	meta := apitype.StepEventMetadata{
		Op: "update", URN: vpcURN, Type: "aws:ec2/vpc:Vpc",
		Old:          &apitype.StepEventStateMetadata{Custom: true, Inputs: values, Outputs: values},
		New:          &apitype.StepEventStateMetadata{Custom: true, Inputs: values, Outputs: values},
		DetailedDiff: map[string]apitype.PropertyDiff{"tags.k": {Kind: apitype.DiffUpdate}, "password": {Kind: apitype.DiffUpdateReplace}},
		Keys:         []string{"password"},
	}
	n := newNormalizer("tooling", PhaseUp, 0, time.Now)
	for _, in := range []apitype.EngineEvent{
		{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: meta}},
		{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: meta}},
		{ResOpFailedEvent: &apitype.ResOpFailedEvent{Metadata: meta}},
	} {
		e, ok := n.next(in)
		require.True(t, ok)
		assert.Equal(t, []string{"password", "tags.k"}, e.Changed)
		assert.Equal(t, []string{"password"}, e.Replaces)
		line, err := json.Marshal(e)
		require.NoError(t, err)
		assert.NotContains(t, string(line), secret)
	}
	_, ok := n.next(apitype.EngineEvent{PreludeEvent: &apitype.PreludeEvent{Config: map[string]string{"strongroom:token": secret}}})
	assert.False(t, ok, "the prelude holds the configuration and is not passed on")
}

func TestDiagnostics(t *testing.T) {
	n := newNormalizer("tooling", PhaseUp, 0, time.Now)
	say := func(severity, message string) (Event, bool) {
		return n.next(apitype.EngineEvent{DiagnosticEvent: &apitype.DiagnosticEvent{URN: vpcURN, Severity: severity, Message: message}})
	}
	e, ok := say("error", "<{%reset%}>no \x1b[31mroom\x1b[0m<{%reset%}>\n")
	require.True(t, ok)
	assert.Equal(t, "no room", e.Message)
	assert.Equal(t, "error", e.Severity)
	assert.Equal(t, "aws:ec2/vpc:Vpc", e.Type)
	assert.Equal(t, "network-vpc", e.Name)

	e, ok = say("info#err", "from stderr")
	require.True(t, ok)
	assert.Equal(t, "info", e.Severity)

	_, ok = say("debug", "noise")
	assert.False(t, ok)
	_, ok = say("info", "<{%reset%}>\n")
	assert.False(t, ok, "nothing is left of an empty message")
}

func TestURNParts(t *testing.T) {
	for urn, want := range map[string][2]string{
		vpcURN: {"aws:ec2/vpc:Vpc", "network-vpc"},
		"urn:pulumi:tooling::strongroom::pulumi:pulumi:Stack::strongroom-tooling": {StackType, "strongroom-tooling"},
		"urn:pulumi:tooling::strongroom::a:b:C$d:e:F::ns::with::colons":           {"d:e:F", "ns::with::colons"},
		"": {"", ""},
	} {
		assert.Equal(t, want, [2]string{typeOf(urn), nameOf(urn)}, urn)
	}
}
