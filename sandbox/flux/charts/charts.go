// Package charts keeps a mirror of the charts that are pinned, makes stub charts in
// place of those that it does not have, and serves both as an OCI registry does.
//
// A running sandbox reaches no chart repository: Fill does, when it is asked to. A stub
// has the name and the version that it was asked for; it installs the CRDs that the
// real chart brings, from the products' Go modules, and a Secret with the values it was
// given: so sources, order, values and substitution are still proven, and that the real
// templates take these values is not.
package charts

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
)

// Label is on everything that a stub installs.
const Label = "strongroom.io/stub"

// StubAppVersion is what a stub says that it installs: a release tells it, and so
// which kind of chart it is of.
const StubAppVersion = "stub"

// crdsOf says which set of the toolchain's CRDs the real chart of a name brings.
var crdsOf = map[string]string{
	"external-secrets":         "external-secrets",
	"prometheus-operator-crds": "prometheus-operator",
	"kube-prometheus-stack":    "prometheus-operator",
}

//go:embed crds
var own embed.FS

// ownCRDs are stand-ins of our own, for products whose module cannot be had.
var ownCRDs = map[string][]string{
	"aws-load-balancer-controller": {"crds/elbv2.k8s.aws_targetgroupbindings.yaml"},
}

// secretTemplate is all that a stub installs, besides CRDs.
const secretTemplate = `# A stub of the strongroom sandbox: nothing of the real chart is in it.
apiVersion: v1
kind: Secret
metadata:
  name: {{ printf "stub-%s" .Release.Name | trunc 63 | trimSuffix "-" }}
  namespace: {{ .Release.Namespace }}
  labels:
    ` + Label + `: "true"
type: Opaque
stringData:
  chart: {{ printf "%s %s" .Chart.Name .Chart.Version | quote }}
  release: {{ .Release.Name | quote }}
  values.json: {{ .Values | toJson | quote }}
`

var (
	nameForm    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,99}$`)
	versionForm = regexp.MustCompile(`^v?\d+\.\d+\.\d+([+-][0-9A-Za-z.+-]+)?$`)
)

// file is one file of a chart, by its path in it.
type file struct {
	name string
	data []byte
}

// stub makes the files of a stub chart.
func stub(crdDir, name, version string) ([]file, error) {
	if !nameForm.MatchString(name) {
		return nil, fmt.Errorf("%q is no name of a chart", name)
	}
	if !versionForm.MatchString(version) {
		return nil, fmt.Errorf("chart %s: stubs exist for exact versions only, such as 1.2.3, not for %q", name, version)
	}
	files := []file{
		{"Chart.yaml", fmt.Appendf(nil, "apiVersion: v2\nname: %s\nversion: %q\nappVersion: %s\ntype: application\ndescription: A STUB made by the strongroom sandbox. It records the values it was given and runs nothing.\n", name, version, StubAppVersion)},
		{"values.yaml", []byte("{}\n")},
		{"templates/stub.yaml", []byte(secretTemplate)},
	}
	if set, has := crdsOf[name]; has {
		found, err := filepath.Glob(filepath.Join(crdDir, set, "*.yaml"))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("chart %s: no CRDs in %s: `strongroom sandbox tools` lays them out", name, filepath.Join(crdDir, set))
		}
		slices.Sort(found)
		for _, p := range found {
			data, err := os.ReadFile(p)
			if err != nil {
				return nil, fmt.Errorf("chart %s: %w", name, err)
			}
			files = append(files, file{"crds/" + filepath.Base(p), data})
		}
	}
	for _, p := range ownCRDs[name] {
		data, err := own.ReadFile(p)
		if err != nil {
			return nil, fmt.Errorf("chart %s: %w", name, err)
		}
		files = append(files, file{"crds/" + path.Base(p), data})
	}
	return files, nil
}

// pack makes the archive of a chart, the same one every time.
func pack(name string, files []file) ([]byte, error) {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	out := tar.NewWriter(zip)
	for _, f := range files {
		if err := out.WriteHeader(&tar.Header{Name: name + "/" + f.name, Mode: 0o644, Size: int64(len(f.data))}); err != nil {
			return nil, err
		}
		if _, err := out.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(out.Close(), zip.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
