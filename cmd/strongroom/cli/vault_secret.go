package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/strongroom-platform/strongroom/internal/awsapi"
	"github.com/strongroom-platform/strongroom/internal/vaultops"
)

// awsSecret is the recovery secret in Secrets Manager.
type awsSecret struct {
	session *awsapi.Session
	arn     string
}

func (s awsSecret) Name() string { return s.arn }

func (s awsSecret) Read(ctx context.Context, label string) (vaultops.Secret, error) {
	text, err := s.session.SecretValue(ctx, s.arn, label)
	if err != nil && !errors.Is(err, awsapi.ErrNoValue) {
		return vaultops.Secret{}, err
	}
	secret, err := vaultops.ParseSecret(text)
	if err != nil {
		return vaultops.Secret{}, fmt.Errorf("%s, %s: %w", s.arn, label, err)
	}
	return secret, nil
}

// Write proves that what it wrote can be read.
func (s awsSecret) Write(ctx context.Context, secret vaultops.Secret) error {
	text, err := secret.Text()
	if err != nil {
		return err
	}
	if err := s.session.PutSecretValue(ctx, s.arn, text); err != nil {
		return err
	}
	kept, err := s.session.SecretValue(ctx, s.arn, labelCurrent)
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	if kept != text {
		return fmt.Errorf("read back: %s holds something else than was written: somebody else writes it too", s.arn)
	}
	return nil
}

// keySet are recovery keys that may be in force.
type keySet struct {
	keys      []string
	threshold int
}

// recoveryKeys are the sets that may be in force, in the order in which they are to
// be tried: those of the recovery secret, or what a person types. After a restore those
// of the version before may be.
func (a *app) recoveryKeys(ctx context.Context, site *vaultSite, ask bool) ([]keySet, error) {
	if ask {
		return a.typedKeys()
	}
	secret, err := site.secret.Read(ctx, labelCurrent)
	if err != nil {
		return nil, fmt.Errorf("recovery keys: %w; if you have them, type them in with --ask-keys", err)
	}
	if len(secret.Keys) == 0 {
		return nil, fmt.Errorf("recovery keys: the secret %s holds none (its state is %q); if you have them, type them in with --ask-keys", site.secret.Name(), secret.State)
	}
	previous, err := site.secret.Read(ctx, labelPrevious)
	if err != nil {
		previous = vaultops.Secret{} // it is only needed after a restore
	}
	var sets []keySet
	for _, set := range []keySet{
		{secret.Keys, secret.Threshold}, {secret.NextKeys, secret.NextThreshold}, {previous.Keys, previous.Threshold},
	} {
		known := slices.ContainsFunc(sets, func(s keySet) bool { return slices.Equal(s.keys, set.keys) })
		if len(set.keys) > 0 && !known {
			sets = append(sets, set)
		}
	}
	return sets, nil
}

// typedKeys reads keys at the terminal, without an echo, until an empty line.
func (a *app) typedKeys() ([]keySet, error) {
	var keys []string
	for {
		key, err := a.typed(fmt.Sprintf("Recovery key %d (empty: that was all): ", len(keys)+1))
		if err != nil {
			return nil, fmt.Errorf("--ask-keys: %w", err)
		}
		text := strings.TrimSpace(string(key))
		switch {
		case text == "" && len(keys) == 0:
			return nil, errors.New("--ask-keys: no key was given: nothing was done")
		case text == "":
			return []keySet{{keys, len(keys)}}, nil
		}
		keys = append(keys, text)
	}
}

// withKeys calls use with one set after the other until Vault takes one.
func withKeys(sets []keySet, use func(keySet) error) error {
	var first error
	for _, set := range sets {
		err := use(set)
		var refused *vaultops.APIError
		if err == nil || !errors.As(err, &refused) {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}
