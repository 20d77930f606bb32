package sandbox

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLockLetsOneInAtATime(t *testing.T) {
	s := fresh(t)
	ctx := context.Background()
	unlock, err := s.Lock(ctx, func(string) { t.Error("nobody holds it") })
	require.NoError(t, err)

	told := make(chan string, 1)
	entered := make(chan error, 1)
	go func() {
		second, err := s.Lock(ctx, func(holder string) { told <- holder })
		if err == nil {
			second()
		}
		entered <- err
	}()
	require.Contains(t, <-told, "process ", "it is told who holds the lock")
	select {
	case <-entered:
		t.Fatal("two hold the lock")
	default:
	}
	unlock()
	require.NoError(t, <-entered)
}

func TestLockGivesUpWithItsCaller(t *testing.T) {
	s := fresh(t)
	unlock, err := s.Lock(context.Background(), func(string) {})
	require.NoError(t, err)
	defer unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = s.Lock(ctx, func(string) {})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "holds the sandbox")
}
