package charts

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
)

// Media types of a chart in a registry: https://helm.sh/docs/topics/registries/.
const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.cncf.helm.config.v1+json"
	contentType  = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
)

// Registry answers the reading half of the OCI distribution protocol with the charts
// of a mirror, and with stub charts, made when they are asked for, in place of those that
// the mirror does not have: the last element of a repository's path is the chart's name,
// the tag its version, and what comes before is where the chart is published.
type Registry struct {
	// CRDDir holds the toolchain's CRDs.
	CRDDir string
	// Mirror holds real charts.
	Mirror Mirror

	mu    sync.Mutex
	blobs map[string]blob // by digest
}

type blob struct {
	mediaType string
	data      []byte
}

func (r *Registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodGet && request.Method != http.MethodHead {
		http.Error(w, "the sandbox's registry of charts is read-only", http.StatusMethodNotAllowed)
		return
	}
	rest, found := strings.CutPrefix(request.URL.Path, "/v2/")
	if !found {
		http.NotFound(w, request)
		return
	}
	if rest == "" {
		return // the protocol is spoken
	}
	place, reference := path.Split(rest)
	repository, what := path.Split(strings.TrimSuffix(place, "/"))
	name := path.Base(repository)
	switch {
	case what == "blobs" || strings.HasPrefix(reference, "sha256:"):
		r.serve(w, request, reference)
	case what == "manifests":
		// A registry has _ where a version has +.
		digest, err := r.chart(path.Dir(path.Clean(repository)), name, strings.ReplaceAll(reference, "_", "+"))
		if err != nil {
			fail(w, err)
			return
		}
		r.serve(w, request, digest)
	default:
		fail(w, fmt.Errorf("%s: there are charts of exact versions only", rest))
	}
}

// serve sends what has the digest.
func (r *Registry) serve(w http.ResponseWriter, request *http.Request, digest string) {
	r.mu.Lock()
	b, found := r.blobs[digest]
	r.mu.Unlock()
	if !found {
		fail(w, fmt.Errorf("nothing has the digest %s", digest))
		return
	}
	w.Header().Set("Content-Type", b.mediaType)
	w.Header().Set("Docker-Content-Digest", digest)
	w.Header().Set("Content-Length", fmt.Sprint(len(b.data)))
	if request.Method == http.MethodGet {
		_, _ = w.Write(b.data) // whoever hung up does not want it
	}
}

// fail answers as a registry does. Of what is not found clients tell nothing but that;
// what is denied they tell as it is, and they do not try again at once.
func fail(w http.ResponseWriter, err error) {
	status, code := http.StatusNotFound, "MANIFEST_UNKNOWN"
	if damaged := (*DamagedError)(nil); errors.As(err, &damaged) {
		status, code = http.StatusForbidden, "DENIED"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]any{"code": code, "message": err.Error()}}})
}

// chart finds or makes a chart and returns the digest of its manifest.
func (r *Registry) chart(repository, name, version string) (string, error) {
	archive, mirrored, err := r.Mirror.archive(repository, name, version)
	if err != nil {
		return "", err
	}
	annotations := map[string]string{"org.opencontainers.image.title": name, "org.opencontainers.image.version": version}
	if !mirrored {
		files, err := stub(r.CRDDir, name, version)
		if err != nil {
			return "", err
		}
		if archive, err = pack(name, files); err != nil {
			return "", err
		}
		annotations[Label] = "true"
	}
	config, err := json.Marshal(map[string]any{"name": name, "version": version, "apiVersion": "v2", "type": "application"})
	if err != nil {
		return "", err
	}
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2,
		"mediaType":     manifestType,
		"config":        r.keep(configType, config).descriptor(),
		"layers":        []any{r.keep(contentType, archive).descriptor()},
		"annotations":   annotations,
	})
	if err != nil {
		return "", err
	}
	b := r.keep(manifestType, manifest)
	return digestOf(b.data), nil
}

func (r *Registry) keep(mediaType string, data []byte) blob {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.blobs == nil {
		r.blobs = map[string]blob{}
	}
	b := blob{mediaType, data}
	r.blobs[digestOf(data)] = b
	return b
}

func (b blob) descriptor() map[string]any {
	return map[string]any{"mediaType": b.mediaType, "digest": digestOf(b.data), "size": len(b.data)}
}

func digestOf(data []byte) string { return "sha256:" + sha256Of(data) }
