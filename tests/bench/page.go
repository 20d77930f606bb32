package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

const pageHead = `# Benchmarks

Written by ` + "`make bench`" + `; do not edit by hand. Ratios carry over between machines, seconds do not: each section names the machine it was measured on, and what is late is given at the speed of the yardstick too (see the first section). AWS is simulated in every figure.
`

// writeSection replaces the section in the page, or appends it.
func writeSection(page string, s section, body string) error {
	old, err := os.ReadFile(page)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parts := map[string]string{}
	for _, known := range sections {
		if text, ok := between(string(old), open(known.name), shut(known.name)); ok {
			parts[known.name] = text
		}
	}
	parts[s.name] = fmt.Sprintf("\n## %s\n\n%s\n\n%s\n", s.title, machine(), strings.TrimSpace(body))
	var b strings.Builder
	b.WriteString(pageHead)
	for _, known := range sections {
		if text, ok := parts[known.name]; ok {
			b.WriteString("\n" + open(known.name) + text + shut(known.name) + "\n")
		}
	}
	return os.WriteFile(page, []byte(b.String()), 0o644)
}

func open(name string) string { return "<!-- " + name + " -->" }
func shut(name string) string { return "<!-- /" + name + " -->" }

func between(text, from, to string) (string, bool) {
	_, rest, ok := strings.Cut(text, from)
	if !ok {
		return "", false
	}
	body, _, ok := strings.Cut(rest, to)
	return body, ok
}

// machine describes the size of the machine in one line.
func machine() string {
	memory := "unknown memory"
	if kib, err := memTotalKiB(); err == nil {
		memory = fmt.Sprintf("%.0f GiB of memory", float64(kib)/1024/1024)
	}
	node := "no Node"
	if out, err := exec.CommandContext(context.Background(), "node", "--version").Output(); err == nil {
		node = "Node " + strings.TrimSpace(string(out))
	}
	return fmt.Sprintf("Measured %s on %d cores, %s, %s/%s, %s, %s.", day(time.Now()), runtime.NumCPU(), memory, runtime.GOOS, runtime.GOARCH, runtime.Version(), node)
}

// row is one promise and what was seen.
type row struct {
	what, limit, seen string
	kept              bool
	// scaled: not kept here, but at the speed of the yardstick.
	scaled bool
}

// promise is the row of a promise that is no time.
func promise(what, limit, seen string, kept bool) row {
	return row{what: what, limit: limit, seen: seen, kept: kept}
}

// figure is the row of what nobody has promised.
func figure(what, seen string) row { return row{what: what, seen: seen} }

func table(rows []row) string {
	var b strings.Builder
	b.WriteString("| what | promised | measured | kept |\n| --- | --- | --- | --- |\n")
	for _, r := range rows {
		kept := "yes"
		switch {
		case r.limit == "":
			kept = ""
		case r.scaled:
			kept = "not here, but at that speed"
		case !r.kept:
			kept = "**no**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.what, r.limit, r.seen, kept)
	}
	return b.String()
}
