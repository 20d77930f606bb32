package toolchain

import (
	"context"
	"os"
	"path/filepath"
)

// jobs lists what is needed on this machine. The largest build comes first:
// whatever is left when the others are done should be short.
func (o Options) jobs(ctx context.Context, report *reporter) ([]job, error) {
	goPath, goVersion, err := o.goTool(ctx)
	if err != nil {
		return nil, err
	}
	component, err := o.component(ctx)
	if err != nil {
		return nil, err
	}
	kubernetes := kubernetesModule
	if path, version, found := o.systemKubectl(ctx); found {
		report.total++
		report.done(Event{Tool: kubectl.name, State: System, Detail: version + ", " + path})
		// One that an earlier run built would hide the machine's own.
		if err := removeFile(filepath.Join(o.BinDir, kubectl.name)); err != nil {
			return nil, err
		}
	} else {
		kubernetes.programs = append(append([]program{}, kubernetes.programs...), kubectl)
	}
	jobs := []job{component}
	lines := [][]module{{kubernetes}, {vaultModule}, {pulumiModule}, {etcdModule}}
	if o.Flux {
		lines = append(lines, fluxModules)
		crds, err := o.crdJob(goPath)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, crds)
	}
	for _, line := range lines {
		first, err := o.line(line, goPath, goVersion)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, *first)
	}
	if err := o.sweep(); err != nil {
		return nil, err
	}
	return jobs, nil
}

// line is the jobs of modules that are built one after the other.
func (o Options) line(modules []module, goPath, goVersion string) (*job, error) {
	if len(modules) == 0 {
		return nil, nil
	}
	first, err := modules[0].job(o, goPath, goVersion)
	if err != nil {
		return nil, err
	}
	first.next, err = o.line(modules[1:], goPath, goVersion)
	return &first, err
}

// sweep removes what killed builds have left.
func (o Options) sweep() error {
	left, err := filepath.Glob(filepath.Join(o.BinDir, ".building-*"))
	if err != nil {
		return err
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}
