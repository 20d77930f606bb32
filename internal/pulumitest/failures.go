package pulumitest

import (
	"fmt"
	"testing"
)

// Failures runs a check that is expected to fail and returns what it complained
// about, so that a test can show that the check finds what it is there to find.
// Checks that stop a test (Fatal) are not for it.
func Failures(t testing.TB, check func(testing.TB)) []string {
	t.Helper()
	r := &recorder{TB: t}
	check(r)
	return r.failures
}

// recorder takes the failures of a check instead of a test.
type recorder struct {
	testing.TB
	failures []string
}

func (*recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}
