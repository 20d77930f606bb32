package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var today = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// The yardstick is read back from the page that holds it, on the same day only.
func TestYardstick(t *testing.T) {
	page := "# Benchmarks\n\n" + yardstickText(710*time.Second, today) + "\n"
	require.Contains(t, page, "710 s with helm/v3 on 2026-11-28, and 355 s where the promises were made, so this machine takes 2.00 times as long")
	require.InDelta(t, 2, slowerThanPromised(page, today), 0.01)
	require.Zero(t, slowerThanPromised(page, today.AddDate(0, 0, 1)))
	require.Zero(t, slowerThanPromised("", today))
}

func TestVerdicts(t *testing.T) {
	for name, test := range map[string]struct {
		slower float64
		took   time.Duration
		want   string
	}{
		"kept":                          {2, 50 * time.Second, "| w | at most 60 s | 50 s | yes |"},
		"kept at the yardstick's speed": {2, 100 * time.Second, "| w | at most 60 s | 100 s; 50 s at the speed of the yardstick | not here, but at that speed |"},
		"not kept at that either":       {1.5, 100 * time.Second, "| w | at most 60 s | 100 s; 67 s at the speed of the yardstick | **no** |"},
		"no yardstick":                  {0, 100 * time.Second, "| w | at most 60 s | 100 s | **no** |"},
		"a faster machine has no excuse, and no malus": {0.5, 100 * time.Second, "| w | at most 60 s | 100 s | **no** |"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, table([]row{bench{slower: test.slower}.timed("w", time.Minute, test.took)}), test.want+"\n")
		})
	}
	text := table([]row{figure("f", "3 s"), promise("p", "at most 1", "2", false)})
	require.True(t, strings.HasSuffix(text, "| f |  | 3 s |  |\n| p | at most 1 | 2 | **no** |\n"), text)
}

// A section that is measured again replaces itself alone.
func TestWriteSection(t *testing.T) {
	page := filepath.Join(t.TempDir(), "benchmarks.md")
	for _, body := range []string{"body one", "body two"} {
		require.NoError(t, writeSection(page, sections[1], body+" of 1"))
		require.NoError(t, writeSection(page, sections[0], body+" of 0"))
	}
	require.NoError(t, writeSection(page, sections[1], "body three of 1"))
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Less(t, strings.Index(string(text), "body two of 0"), strings.Index(string(text), "body three of 1"))
	for _, gone := range []string{"body one", "body two of 1"} {
		require.NotContains(t, string(text), gone)
	}
}

func TestClock(t *testing.T) {
	for d, want := range map[time.Duration]string{82 * time.Second: "82 s", 15 * time.Minute: "15 min", 467 * time.Second: "7.8 min"} {
		require.Equal(t, want, clock(d))
	}
}
