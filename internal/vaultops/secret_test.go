package vaultops

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseSecret(t *testing.T) {
	for text, state := range map[string]string{
		"":                  Empty,
		`{"state":"empty"}`: Empty,
		`{}`:                Empty,
		`{"state":"finished","recovery_keys_b64":["a","b"],"recovery_keys_threshold":2}`:                   Finished,
		`{"state":"stored","recovery_keys_b64":["a"],"recovery_keys_threshold":1,"root_token":"r"}` + "\n": Stored,
	} {
		s, err := ParseSecret(text)
		require.NoError(t, err, text)
		require.Equal(t, state, s.State)
	}
	for text, want := range map[string]string{
		`{"state":"done"}`:     `unknown state "done"`,
		`{"state":"finished"}`: `says "finished", with 0 recovery keys of which 0 are needed`,
		`{"state":"finished","recovery_keys_b64":["a"],"recovery_keys_threshold":2}`: "with 1 recovery keys of which 2 are needed",
		`{"state":"empty","recovery_keys_b64":["hidden"]}`:                           `says "empty" and holds keys`,
		`{"root_token":"hidden"}`:                                                    `says "empty" and holds keys`,
		`hidden`:                                                                     "is not the JSON object",
		`{"state":["hidden"]}`:                                                       "is not the JSON object",
	} {
		_, err := ParseSecret(text)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hidden")
	}
}

func TestSecretText(t *testing.T) {
	s := Secret{State: Finished, Keys: []string{"hidden"}, Threshold: 1, RootToken: "hidden", NextKeys: []string{"hidden"}, NextThreshold: 1}
	text, err := s.Text()
	require.NoError(t, err)
	again, err := ParseSecret(text)
	require.NoError(t, err)
	require.Equal(t, s, again)
	for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
		require.NotContains(t, fmt.Sprintf(form, s), "hidden", form)
	}
}
