package main

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// The promises in seconds were made on a machine where the program took 329 to 381 s
// to build with helm/v3 in it. That build is the yardstick: what it takes on this
// machine tells how much longer everything takes here.
const yardstick = 355 * time.Second

// bench is the checkout that is measured, on this machine.
type bench struct {
	root string
	// slower is how many times the yardstick this machine takes for it. Zero: not
	// measured today, so nobody knows.
	slower float64
}

// yardstickLine keeps the measure in the page, for the sections that are measured
// again alone. It is of no use on another day: who knows on which machine that was.
const yardstickLine = "The yardstick of this page: %d s with helm/v3 on %s, and %d s where the promises were made, so this machine takes %.2f times as long for what keeps its processors busy."

var yardstickPattern = regexp.MustCompile(`The yardstick of this page: (\d+) s with helm/v3 on (\S+),`)

func yardstickText(took time.Duration, now time.Time) string {
	return fmt.Sprintf(yardstickLine, int(took.Seconds()), day(now), int(yardstick.Seconds()), took.Seconds()/yardstick.Seconds())
}

// slowerThanPromised reads the yardstick from the page.
func slowerThanPromised(page string, now time.Time) float64 {
	match := yardstickPattern.FindStringSubmatch(page)
	if match == nil || match[2] != day(now) {
		return 0
	}
	seconds, err := strconv.Atoi(match[1])
	if err != nil {
		return 0
	}
	return float64(seconds) / yardstick.Seconds()
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02") }

// timed is the row of a promise in time. One that is not kept here may be kept where
// it was made, which the row says in so many words.
func (b bench) timed(what string, limit, took time.Duration) row {
	r := row{what: what, limit: "at most " + clock(limit), seen: clock(took), kept: took <= limit}
	if r.kept || b.slower <= 1 {
		return r
	}
	scaled := time.Duration(float64(took) / b.slower)
	r.seen += fmt.Sprintf("; %s at the speed of the yardstick", clock(scaled))
	r.scaled = scaled <= limit
	return r
}

// clock is a time as people say it: 82 s, 15 min, 7.8 min.
func clock(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d%time.Minute == 0:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.1f min", d.Minutes())
}
