// Command bench measures what the project promises about speed and writes the
// figures, with the machine's size, to docs/benchmarks.md. It never fails on a
// slow figure: a table cell says whether the promise was kept.
//
// Each section replaces only its own part of the page, so that one can be
// measured again alone. The first is the yardstick by which machines differ:
// measure it on the same day.
//
//	make bench SECTION=build
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// section is one part of the page: a measurement that stands alone.
type section struct {
	name    string
	title   string
	measure func(ctx context.Context, b bench) (string, error)
}

var sections = []section{
	{"build", "Cold build of the program", measureBuild},
	{"warm", "Warm: both stacks up, previewed, destroyed", measureWarm},
	{"flux", "Flux, and the check of its tree", measureFlux},
	{"vault", "What is inside of Vault: many workloads", measureVault},
	{"up", "From a bare machine to both stacks up", measureUp},
	{"test", "The tests on a bare machine", measureTest},
	{"retest", "The tests again, warm", measureRetest},
}

func names() string {
	var all []string
	for _, s := range sections {
		all = append(all, s.name)
	}
	return strings.Join(all, ", ")
}

func main() {
	only := flag.String("section", "", "measure one section only: "+names()+" (default: all, about an hour and a half on 2 cores)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string) error {
	out, err := exec.CommandContext(ctx, "git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return fmt.Errorf("find the repository: run this inside a clone: %w", err)
	}
	root := strings.TrimSpace(string(out))
	page := filepath.Join(root, "docs", "benchmarks.md")
	known := false
	for _, s := range sections {
		if only != "" && s.name != only {
			continue
		}
		known = true
		fmt.Printf("measuring: %s\n", s.title)
		before, err := os.ReadFile(page)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		b := bench{root: root, slower: slowerThanPromised(string(before), time.Now())}
		body, err := s.measure(ctx, b)
		if err != nil {
			return fmt.Errorf("section %q: %w", s.name, err)
		}
		if err := writeSection(page, s, body); err != nil {
			return err
		}
		fmt.Println(body)
	}
	if !known {
		return fmt.Errorf("section %q is unknown: expected one of %s", only, names())
	}
	fmt.Println("wrote docs/benchmarks.md")
	return nil
}
