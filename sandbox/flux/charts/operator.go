package charts

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

//go:embed operator
var operator embed.FS

// Operator writes the folders of the charts flux-operator and flux-instance below dir,
// for the stacks: those of the mirror, or else stubs, of which the first brings the
// FluxInstance's CRD, the second a FluxInstance with the values it was given. Package
// flux stands in for the operator itself either way.
func Operator(dir string, mirror Mirror) error {
	for _, name := range operatorNames {
		pin := operatorPin(name)
		archive, mirrored, err := mirror.archive(pin.repository(), pin.Name, pin.Version)
		if err != nil {
			return err
		}
		chart, err := operatorStub(name)
		if err != nil {
			return err
		}
		if mirrored {
			if chart, err = loader.LoadArchiveFiles(bytes.NewReader(archive)); err != nil {
				return fmt.Errorf("chart %s: %w", pin, err)
			}
		}
		if err := layOut(filepath.Join(dir, name), chart); err != nil {
			return fmt.Errorf("chart %s: %w", pin, err)
		}
	}
	return nil
}

// operatorStub reads the files of a stub.
func operatorStub(name string) ([]*loader.BufferedFile, error) {
	root := path.Join("operator", name)
	var chart []*loader.BufferedFile
	err := fs.WalkDir(operator, root, func(p string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := operator.ReadFile(p)
		if err != nil {
			return err
		}
		chart = append(chart, &loader.BufferedFile{Name: p[len(root)+1:], Data: data})
		return nil
	})
	return chart, err
}

// layOut makes dir hold the files of a chart and no others. What does not change stays
// as it is, because stacks may be reading it.
func layOut(dir string, chart []*loader.BufferedFile) error {
	wanted := map[string]bool{}
	for _, f := range chart {
		target := filepath.Join(dir, filepath.FromSlash(f.Name))
		wanted[target] = true
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		if err := files.Ensure(target, f.Data, files.Private); err != nil {
			return err
		}
	}
	return filepath.WalkDir(dir, func(p string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || wanted[p] {
			return err
		}
		if err := os.Remove(p); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}
