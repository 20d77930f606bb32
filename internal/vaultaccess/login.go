package vaultaccess

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/vault/api"
)

// Login returns a client that is logged in as the provisioner, for an hour at first.
// It waits for the mount and the role, which the first start makes last.
func (a *Access) Login(ctx context.Context) (*api.Client, error) {
	client, err := a.Client()
	if err != nil {
		return nil, err
	}
	err = a.await(ctx, fmt.Sprintf("the role %q can log in", Role), func(ctx context.Context) error {
		token, err := a.args.Cluster.Token(ctx, ServiceAccount)
		if err != nil {
			return err
		}
		answer, err := client.Logical().WriteWithContext(ctx, "auth/"+Mount+"/login", map[string]any{"role": Role, "jwt": token})
		switch {
		case err != nil:
			return refusal(err)
		case answer == nil || answer.Auth == nil:
			return errors.New("vault answered without a token")
		}
		client.SetToken(answer.Auth.ClientToken)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return client, nil
}

// refusal is what Vault said, in one line.
func refusal(err error) error {
	var answered *api.ResponseError
	if errors.As(err, &answered) {
		return fmt.Errorf("vault answered %d: %v", answered.StatusCode, answered.Errors)
	}
	return err
}

// lent is a token that a provider in another process reads from a file.
type lent struct {
	client *api.Client
	file   string
	cancel context.CancelFunc
	ended  chan struct{}
}

// Lend logs in and writes the token into a file that only its owner can read, for a
// process that is not this one. It is renewed for as long as the way is open; Close
// revokes it and removes the file.
func (a *Access) Lend(ctx context.Context, file string) error {
	client, err := a.Login(ctx)
	if err != nil {
		return err
	}
	if err := WriteFile(file, client.Token()); err != nil {
		return errors.Join(err, client.Auth().Token().RevokeSelfWithContext(ctx, ""))
	}
	renewing, cancel := context.WithCancel(context.Background())
	a.lent = &lent{client, file, cancel, make(chan struct{})}
	go a.lent.renew(renewing)
	return nil
}

// renewEvery is well below the hour that the role gives.
const renewEvery = 20 * time.Minute

func (l *lent) renew(ctx context.Context) {
	defer close(l.ended)
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			// Whether it works shows in whoever uses the token.
			_, _ = l.client.Auth().Token().RenewSelfWithContext(ctx, 0)
		}
	}
}

// revokeLimit is short: with a Vault that went in between, the token went too.
const revokeLimit = 5 * time.Second

func (a *Access) takeBack() error {
	l := a.lent
	if l == nil {
		return nil
	}
	a.lent = nil
	l.cancel()
	<-l.ended
	ctx, cancel := context.WithTimeout(context.Background(), revokeLimit)
	defer cancel()
	// It ends by itself within the hour.
	_ = l.client.Auth().Token().RevokeSelfWithContext(ctx, "")
	if err := os.Remove(l.file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("token of Vault: %w", err)
	}
	return nil
}

// WriteFile writes a file whole, readable by its owner alone from the first byte on.
func WriteFile(file, content string) error {
	folder := filepath.Dir(file)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("file for the provider of Vault: %w", err)
	}
	made, err := os.CreateTemp(folder, ".vault-*")
	if err != nil {
		return fmt.Errorf("file for the provider of Vault: %w", err)
	}
	_, err = made.WriteString(content)
	if err = errors.Join(err, made.Close()); err == nil {
		err = os.Rename(made.Name(), file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("file for the provider of Vault: %w", err), os.Remove(made.Name()))
	}
	return nil
}
