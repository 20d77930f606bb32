package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"
)

// requireConsent refuses to change AWS where nobody can be asked and nobody has
// agreed beforehand. In the sandbox there is nothing that could not be made again.
func (a *app) requireConsent(f runFlags, p *place) error {
	if p.sandbox || f.yes {
		return nil
	}
	if f.json || !a.asks {
		return usagef("this would change AWS and there is nobody to ask: look at `strongroom preview` and give --yes, or use --sandbox")
	}
	return nil
}

// ask puts a question and returns an error that wraps errRefused unless the
// answer is want.
func (a *app) ask(ctx context.Context, question, want string) error {
	if _, err := fmt.Fprintf(a.err, "%s ", question); err != nil {
		return fmt.Errorf("ask for consent: %w", err)
	}
	answers := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(a.in).ReadString('\n')
		if err != nil && line == "" {
			close(answers) // nobody answers any more
			return
		}
		answers <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errRefused, ctx.Err())
	case answer, ok := <-answers:
		if !ok || answer != want {
			return fmt.Errorf("%w: expected %q as the answer", errRefused, want)
		}
		return nil
	}
}
