package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// still is a board whose clock only the test moves.
func still(live bool) (*board, *bytes.Buffer, *time.Time) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	out := &bytes.Buffer{}
	b := &board{out: out, live: live, width: func() int { return 40 }, now: func() time.Time { return now }, stop: make(chan struct{}), stopped: make(chan struct{})}
	b.lastLine = now
	close(b.stopped)
	return b, out, &now
}

// screen is what a terminal shows after the text.
func screen(t *testing.T, text string) []string {
	t.Helper()
	var lines []string
	for _, line := range strings.SplitAfter(text, "\n") {
		for strings.HasPrefix(line, "\x1b[") {
			up := int(line[2] - '0')
			require.Equal(t, "A\r\x1b[J", line[3:8])
			require.LessOrEqual(t, up, len(lines), "above the top of the screen")
			lines, line = lines[:len(lines)-up], line[8:]
		}
		require.NotContains(t, line, "\x1b")
		if line != "" {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

func TestLiveBoard(t *testing.T) {
	b, out, now := still(true)
	b.Phase("up tooling")
	b.Begin("1", "creating aws:eks/cluster:Cluster tooling")
	b.Count(34, 98)
	*now = now.Add(65 * time.Second)
	b.refresh()
	require.Equal(t, []string{"up tooling, 34 of 98 done, 1 min 5 s", "  creating aws:eks/cluster:Cluster t..."}, screen(t, out.String()))
	b.Say("a line that stays")
	b.End("1")
	b.refresh()
	require.Equal(t, []string{"a line that stays", "up tooling, 34 of 98 done, 1 min 5 s"}, screen(t, out.String()))
	b.Close()
	require.Equal(t, []string{"a line that stays"}, screen(t, out.String()))
	b.Close()
	b.Say("after the end")
	require.Equal(t, []string{"a line that stays", "after the end"}, screen(t, out.String()))
}

func TestLiveBoardListsAFew(t *testing.T) {
	b, out, _ := still(true)
	b.Phase("up")
	for _, key := range strings.Split("abcdefgh", "") {
		b.Begin(key, "creating "+key)
	}
	b.refresh()
	lines := screen(t, out.String())
	require.Len(t, lines, 1+runningShown+1)
	require.Equal(t, "  and 2 more", lines[len(lines)-1])
}

// Proves that piped output is plain lines, that a long silence is broken while
// something is under way, and only then.
func TestPlainBoard(t *testing.T) {
	b, out, now := still(false)
	b.Phase("up tooling")
	*now = now.Add(time.Minute)
	b.refresh()
	require.Empty(t, out.String())
	b.Begin("1", "creating the cluster")
	b.Begin("2", "creating a gateway")
	b.Count(3, 0)
	b.Say("tooling: created something")
	*now = now.Add(14 * time.Second)
	b.refresh()
	require.Equal(t, "tooling: created something\n", out.String())
	*now = now.Add(time.Second)
	b.refresh()
	b.refresh()
	require.Equal(t, "tooling: created something\nup tooling: still creating the cluster (15 s) and 1 more, 3 done\n", out.String())
	require.NotContains(t, out.String(), "\x1b")
	b.Close()
	*now = now.Add(time.Minute)
	b.refresh()
	require.Equal(t, 2, strings.Count(out.String(), "\n"))
}

// Proves that whatever happens, what was said stays, in order, and nothing else.
func TestBoardKeepsWhatWasSaid(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		b, out, _ := still(true)
		var said []string
		steps := rapid.SliceOfN(rapid.IntRange(0, 5), 1, 60).Draw(r, "steps")
		for i, step := range steps {
			key := string(rune('a' + i%12))
			switch step {
			case 0:
				b.Phase("phase " + key)
			case 1:
				said = append(said, strings.Repeat(key, i+1))
				b.Say(said[len(said)-1])
			case 2:
				b.Begin(key, "making "+strings.Repeat(key, i))
			case 3:
				b.End(key)
			default:
				b.refresh()
			}
		}
		b.Close()
		lines := screen(t, out.String())
		require.Equal(t, strings.Join(said, "\n"), strings.Join(lines, "\n"))
	})
}

func TestClockAndPlural(t *testing.T) {
	require.Equal(t, "0 s", clock(400*time.Millisecond))
	require.Equal(t, "59 s", clock(59*time.Second))
	require.Equal(t, "1 min 0 s", clock(59*time.Second+700*time.Millisecond))
	require.Equal(t, "61 min 1 s", clock(time.Hour+61*time.Second))
	require.Equal(t, "1 object", plural(1, "object"))
	require.Equal(t, "0 objects", plural(0, "object"))
	require.Equal(t, "abcd", shorten("abcd", 4))
	require.Equal(t, "ä...", shorten("äöüßx", 4))
}

func TestColumns(t *testing.T) {
	require.Equal(t, "type  tooling  application\nvpc         1           12\nb         200\n", columns([][]string{
		{"type", "tooling", "application"}, {"vpc", "1", "12"}, {"b", "200"},
	}))
	require.Equal(t, "a   a very long last cell\nbb  x\n", columns([][]string{{"a", "a very long last cell"}, {"bb", "x"}}))
	require.Empty(t, columns(nil))
}
