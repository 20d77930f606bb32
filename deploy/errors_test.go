package deploy

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The texts are those of the engine, v3.259.
func TestFailureExplains(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		kind error
		says string
	}{
		"wrong passphrase":    {"stderr: error: incorrect passphrase", ErrPassphrase, "PULUMI_CONFIG_PASSPHRASE"},
		"no passphrase":       {"error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables", ErrPassphrase, "PULUMI_CONFIG_PASSPHRASE_FILE"},
		"locked":              {"error: the stack is currently locked by 1 lock(s).", ErrLocked, "pulumi cancel --stack tooling"},
		"locked, in a cloud":  {"[409] Conflict: Another update is currently in progress.", ErrLocked, "pulumi cancel"},
		"no such stack":       {"error: no stack named 'tooling' found", ErrNoStack, "strongroom up tooling"},
		"protected, replaced": {"error: unable to replace resource \"urn:pulumi:tooling::strongroom::strongroom:clientvpn:ClientVpn$aws:ec2clientvpn/endpoint:Endpoint::tooling-vpn-endpoint\"\nas it is currently marked for protection. To unprotect", ErrProtected, "the change would replace tooling-vpn-endpoint"},
		"protected":           {`error: resource "urn" cannot be deleted because it is protected.`, ErrProtected, "strongroom:protect"},
	} {
		t.Run(name, func(t *testing.T) {
			err := failure(context.Background(), "tooling", PhaseUp, nil, errors.New(c.text))
			require.ErrorIs(t, err, c.kind)
			assert.ErrorContains(t, err, c.says)
			assert.ErrorContains(t, err, `up of stack "tooling" failed`)
		})
	}
}

func TestFailureGivesTheEnginesReasons(t *testing.T) {
	err := failure(context.Background(), "tooling", PhaseUp, []Event{
		{Type: "aws:ec2/vpc:Vpc", Name: "network-vpc", Message: "VpcLimitExceeded: no more\nthan five"},
		{Type: StackType, Name: "strongroom-tooling", Message: "update failed"},
	}, errors.New("code: 255\nstdout: a page of text"))
	assert.Equal(t, "up of stack \"tooling\" failed\n"+
		"  aws:ec2/vpc:Vpc \"network-vpc\": VpcLimitExceeded: no more\n    than five\n"+
		"  update failed", err.Error())
}

func TestCancelledIsNotAFailureOfTheStack(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := failure(ctx, "tooling", PhaseDestroy, nil, errors.New("exit status 255"))
	var f *Failure
	require.ErrorAs(t, err, &f)
	assert.True(t, f.Cancelled)
	assert.Equal(t, `destroy of stack "tooling" was cancelled; run it again to finish`, err.Error())
}

func TestNoEngine(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := findCommand(context.Background(), "", "", nil)
	require.ErrorIs(t, err, ErrNoEngine)
	assert.ErrorContains(t, err, "make tools")
	_, err = findCommand(context.Background(), t.TempDir(), "", nil)
	require.ErrorIs(t, err, ErrNoEngine)
}
