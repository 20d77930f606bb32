package vpnca

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// stores are the two places, each opened anew by every run as on machines of
// their own.
func stores(t *testing.T) map[string]func() Store {
	path := filepath.Join(t.TempDir(), "index.json")
	objects := &memoryObjects{lose: 4, meet: make(chan struct{})}
	return map[string]func() Store{
		"file":   func() Store { return &FileStore{Path: path} },
		"object": func() Store { return &ObjectStore{Objects: objects, Bucket: "b", Key: "vpn/index.json"} },
	}
}

// Proves with ten people issued and three of them revoked by concurrent runs that
// index, revocation list and endpoint agree and nothing is lost. The object store
// also loses an answer, after which a run does again what it had done.
func TestConcurrentRuns(t *testing.T) {
	for where, open := range stores(t) {
		t.Run(where, func(t *testing.T) {
			a, _ := newAuthority(t)
			run := func() *Authority { // with a real clock's waiting
				return &Authority{Certificate: a.Certificate, Key: a.Key, Store: open(), By: "a run", Now: a.Now, wait: a.wait}
			}
			endpoint := &fakeEndpoint{}
			var all sync.WaitGroup
			problems := make(chan error, 30)
			for n := range 10 {
				all.Go(func() {
					name := fmt.Sprintf("person%d", n)
					_, request, err := NewKey(name)
					if err == nil {
						_, err = run().Issue(t.Context(), request, 0)
					}
					if err == nil && n%4 == 1 { // 1, 5, 9
						if err = run().Revoke(t.Context(), name, Left); errors.Is(err, ErrRevoked) {
							err = nil // the answer that was lost
						}
						if err == nil {
							_, _, err = run().Publish(t.Context(), endpoint)
						}
					}
					problems <- err
				})
			}
			all.Wait()
			close(problems)
			for err := range problems {
				require.NoError(t, err)
			}
			a.Store = open()
			i := index(t, a)
			require.Len(t, i.Entries, 10)
			var revoked []string
			for _, e := range i.Entries {
				if e.StateOf(a.Certificate, a.now()) == Revoked {
					revoked = append(revoked, e.Serial)
				}
			}
			require.Len(t, revoked, 3)
			require.ElementsMatch(t, revoked, revokedIn(t, a, i.CRL))
			require.EqualValues(t, 3, i.CRL.Number)
			require.True(t, a.Published(i, endpoint.ID()))
			require.Equal(t, i.CRL.PEM, endpoint.lists[len(endpoint.lists)-1], "the endpoint's last list is the newest")
			if where == "object" {
				require.Positive(t, a.Store.(*ObjectStore).Objects.(*memoryObjects).refused, "the runs did meet")
			}
		})
	}
}

// Two people who issue for the same name: one gets it.
func TestConcurrentlyTheSameName(t *testing.T) {
	for where, open := range stores(t) {
		t.Run(where, func(t *testing.T) {
			a, _ := newAuthority(t)
			results := make(chan error, 4)
			for range 4 {
				go func() {
					_, request, err := NewKey("alice")
					if err == nil {
						run := &Authority{Certificate: a.Certificate, Key: a.Key, Store: open(), Now: a.Now, wait: a.wait}
						_, err = run.Issue(t.Context(), request, 0)
					}
					results <- err
				}()
			}
			issued := 0
			for range 4 {
				if err := <-results; err == nil {
					issued++
				} else {
					require.ErrorIs(t, err, ErrIssued)
				}
			}
			require.Equal(t, 1, issued)
			a.Store = open()
			require.Len(t, index(t, a).Entries, 1)
		})
	}
}

// Whatever is done in whatever order: the list holds what is revoked and nothing
// else, its numbers grow, and a person has at most one certificate that was not
// renewed.
func TestAnyOrderProperty(t *testing.T) {
	requests := map[string][]func(a *Authority) error{}
	for _, name := range []string{"alice", "bob", "carol"} {
		for range 3 {
			_, request, err := NewKey(name)
			require.NoError(t, err)
			requests[name] = append(requests[name],
				func(a *Authority) error { _, err := a.Issue(t.Context(), request, 0); return err },
				func(a *Authority) error { _, err := a.Renew(t.Context(), request, 0, false); return err },
				func(a *Authority) error { _, err := a.Renew(t.Context(), request, 0, true); return err })
		}
		requests[name] = append(requests[name], func(a *Authority) error { return a.Revoke(t.Context(), name, "") })
	}
	ca := makeCA(t, testKey(), nil)
	rapid.Check(t, func(r *rapid.T) {
		a := &Authority{
			Certificate: ca, Key: testKey(), Now: (&clock{now: start}).Now,
			Store: &ObjectStore{Objects: &memoryObjects{}, Bucket: "b", Key: "k"},
		}
		number := int64(0)
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			name := rapid.SampledFrom([]string{"alice", "bob", "carol"}).Draw(r, "name")
			n := rapid.IntRange(0, len(requests[name])-1).Draw(r, "step")
			_ = requests[name][n](a) // may be refused, and then changes nothing
			i, err := a.Index(t.Context())
			require.NoError(r, err)
			revoked := []string{}
			unreplaced := map[string]int{}
			for _, e := range i.Entries {
				if e.Revoked != nil {
					revoked = append(revoked, e.Serial)
				} else if e.ReplacedBy == "" {
					unreplaced[e.Name]++
				}
			}
			for name, count := range unreplaced {
				require.LessOrEqual(r, count, 1, name)
			}
			if i.CRL == nil {
				require.Empty(r, revoked)
				continue
			}
			require.ElementsMatch(r, revoked, revokedIn(t, a, i.CRL))
			require.GreaterOrEqual(r, i.CRL.Number, number)
			number = i.CRL.Number
		}
	})
}
