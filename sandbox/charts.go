package sandbox

import (
	"context"

	"github.com/strongroom-platform/strongroom/sandbox/flux/charts"
)

// FetchCharts fetches the charts that the checkout repoRoot pins into ChartsDir, those
// that are not there. progress receives each, waiting is called once where another run
// does the same. See charts.Mirror.Fill.
func (s *Sandbox) FetchCharts(ctx context.Context, repoRoot string, progress func(charts.Fetched), waiting func()) error {
	if err := s.Check(); err != nil {
		return err
	}
	if err := s.makeFolder(); err != nil {
		return err
	}
	pins, err := charts.Pinned(repoRoot)
	if err != nil {
		return err
	}
	return s.mirror().Fill(ctx, charts.Fetch{Pins: pins, Progress: progress, Waiting: waiting})
}

// CheckCharts reports every chart in ChartsDir that is not what was fetched. Charts that
// are not there are no error: stubs are taken for them.
func (s *Sandbox) CheckCharts() error { return s.mirror().Check() }

func (s *Sandbox) mirror() charts.Mirror { return charts.Mirror{Dir: s.ChartsDir()} }
