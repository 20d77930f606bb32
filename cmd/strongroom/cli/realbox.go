package cli

import (
	"context"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/sandbox"
)

// realBox is a sandbox on this machine.
type realBox struct{ *sandbox.Sandbox }

var _ box = realBox{}

func openBox(dir string) (box, error) {
	s, err := sandbox.Open(dir)
	if err != nil {
		return nil, err
	}
	return realBox{s}, nil
}

func findRepo(start string) (string, error) { return sandbox.FindRepo(start) }

func (b realBox) Folder() string { return b.Dir }

func (b realBox) Foreign() []string { return sandbox.ForeignVariables }

func (b realBox) Target() *deploy.Target {
	return &deploy.Target{
		WorkDir:    b.ProjectDir(),
		PulumiRoot: b.PulumiRoot(),
		Backend:    b.Backend(),
		LogDir:     b.LogDir(),
		FindMade:   b.FindMade,
	}
}

func (b realBox) Left(ctx context.Context) ([]leftover, error) {
	objects, err := b.Sandbox.Left(ctx)
	if err != nil {
		return nil, err
	}
	left := make([]leftover, len(objects))
	for i, o := range objects {
		left[i] = leftover{Type: o.Type, ID: o.ID, URN: o.URN}
	}
	return left, nil
}
