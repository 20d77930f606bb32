package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// redrawEvery is how often a terminal is brought up to date.
	redrawEvery = 250 * time.Millisecond
	// heartbeatAfter is how long plain output stays silent while something is
	// under way: a CI system takes longer silence for a hang.
	heartbeatAfter = 15 * time.Second
	// runningShown is how many of the things under way a terminal lists.
	runningShown = 6
)

// board shows work under way: lines that stay, and, on a terminal, below them a
// few that are drawn again and again. Where the output is no terminal, it
// says from time to time what takes long instead. It is safe for use by several
// goroutines.
type board struct {
	out   io.Writer
	live  bool
	width func() int
	now   func() time.Time

	mu       sync.Mutex
	heading  string
	begun    time.Time
	done     int
	total    int
	running  []running
	drawn    int // lines on the terminal that are to be drawn again
	lastLine time.Time
	stop     chan struct{}
	stopped  chan struct{}
}

// running is one thing under way.
type running struct {
	key, what string
	since     time.Time
}

// newBoard returns a board that brings itself up to date until Close.
func (a *app) newBoard() *board {
	b := &board{out: a.out, live: a.live, width: a.width, now: a.now, stop: make(chan struct{}), stopped: make(chan struct{})}
	b.begun, b.lastLine = b.now(), b.now()
	a.route(b.Say)
	go b.keepCurrent()
	return b
}

func (b *board) keepCurrent() {
	defer close(b.stopped)
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-tick.C:
			b.refresh()
		}
	}
}

// Close removes what is drawn. Say may be used after it.
func (b *board) Close() {
	b.mu.Lock()
	closed := b.heading == closedHeading
	b.erase()
	b.heading, b.running = closedHeading, nil
	b.mu.Unlock()
	if !closed {
		close(b.stop)
		<-b.stopped
	}
}

// closedHeading marks a board that draws nothing more; no phase has it.
const closedHeading = "\x00closed"

// Phase begins a phase; its things are counted anew.
func (b *board) Phase(heading string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.erase()
	b.heading, b.begun, b.done, b.total, b.running = heading, b.now(), 0, 0, nil
	b.draw()
}

// Say prints a line that stays.
func (b *board) Say(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.erase()
	b.print(line)
	b.lastLine = b.now()
	b.draw()
}

// Begin shows that something is under way.
func (b *board) Begin(key, what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop(key)
	b.running = append(b.running, running{key, what, b.now()})
}

// End shows that it no longer is.
func (b *board) End(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop(key)
}

func (b *board) drop(key string) {
	b.running = slices.DeleteFunc(b.running, func(r running) bool { return r.key == key })
}

// Count shows how many are done, of how many; total 0 is unknown.
func (b *board) Count(done, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done, b.total = done, total
}

// refresh draws again, or says that something takes long.
func (b *board) refresh() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.live {
		b.erase()
		b.draw()
		return
	}
	if len(b.running) == 0 || b.heading == closedHeading || b.now().Sub(b.lastLine) < heartbeatAfter {
		return
	}
	oldest := b.running[0]
	line := fmt.Sprintf("%s: still %s (%s)", b.heading, oldest.what, clock(b.now().Sub(oldest.since)))
	if others := len(b.running) - 1; others > 0 {
		line += fmt.Sprintf(" and %d more", others)
	}
	if counted := b.counted(); counted != "" {
		line += ", " + counted
	}
	b.print(line)
	b.lastLine = b.now()
}

func (b *board) counted() string {
	switch {
	case b.total > 0 && b.done <= b.total:
		return fmt.Sprintf("%d of %d done", b.done, b.total)
	case b.done > 0:
		return fmt.Sprintf("%d done", b.done)
	}
	return ""
}

// draw writes the lines that are drawn again.
func (b *board) draw() {
	if !b.live || b.heading == "" || b.heading == closedHeading {
		return
	}
	head := b.heading
	if counted := b.counted(); counted != "" {
		head += ", " + counted
	}
	lines := []string{fmt.Sprintf("%s, %s", head, clock(b.now().Sub(b.begun)))}
	for _, r := range b.running[:min(len(b.running), runningShown)] {
		lines = append(lines, fmt.Sprintf("  %s (%s)", r.what, clock(b.now().Sub(r.since))))
	}
	if more := len(b.running) - runningShown; more > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more", more))
	}
	for _, line := range lines {
		b.print(shorten(line, b.width()-1)) // a line that wraps could not be erased
	}
	b.drawn = len(lines)
}

// erase removes the lines that draw wrote: for each, one up and clear to the
// end of the screen.
func (b *board) erase() {
	if b.drawn > 0 {
		b.write(fmt.Sprintf("\x1b[%dA\r\x1b[J", b.drawn))
		b.drawn = 0
	}
}

func (b *board) print(line string) { b.write(line + "\n") }

// write cannot report a failure: work does not stop because nobody can watch.
func (b *board) write(text string) { _, _ = io.WriteString(b.out, text) }

// clock is a duration as people read it: 4 s, 1 min 5 s.
func clock(d time.Duration) string {
	d = d.Round(time.Second)
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
}

// shorten cuts a line to so many characters.
func shorten(line string, width int) string {
	letters := []rune(line)
	if width < 4 || len(letters) <= width {
		return line
	}
	return string(letters[:width-3]) + "..."
}

// plural is "1 thing" or "2 things".
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	if strings.HasSuffix(word, "s") {
		return fmt.Sprintf("%d %ses", n, word)
	}
	return fmt.Sprintf("%d %ss", n, word)
}
