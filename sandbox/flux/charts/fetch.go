package charts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/getter"
	"helm.sh/helm/v3/pkg/registry"
	"helm.sh/helm/v3/pkg/repo"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

const (
	// dialLimit is for a host that does not answer, fetchLimit for a whole index or
	// chart: the largest index is tens of megabytes.
	dialLimit  = 10 * time.Second
	fetchLimit = 3 * time.Minute
)

// Fetch says what to fill a mirror with.
type Fetch struct {
	Pins []Pin
	// Transport reaches the charts' hosts. Default: as Go's own, with the proxies of
	// the environment.
	Transport *http.Transport
	// Progress receives each chart when it is begun to be fetched, and when it is there
	// or could not be fetched. Default: nobody is told.
	Progress func(Fetched)
	// Waiting is called once where somebody else fills the mirror. Default: nobody is
	// told.
	Waiting func()
}

// Fetched is how it went with one chart.
type Fetched struct {
	Chart Pin
	// Begun says that it is being fetched, and nothing else of it is known.
	Begun bool
	// Already says that it was there, and whole.
	Already bool
	Bytes   int
	// CheckedAgainst: see Mirrored.
	CheckedAgainst string
	Err            error
	Done, Total    int
}

// MissingError says which charts could not be fetched.
type MissingError struct {
	Total   int
	Missing []Fetched
}

func (e *MissingError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d charts could not be fetched:", len(e.Missing), e.Total)
	for _, m := range e.Missing {
		fmt.Fprintf(&b, "\n  chart %s: host %s: %v", m.Chart, m.Chart.Host(), m.Err)
	}
	b.WriteString("\nWhatever else was fetched is kept, and the sandbox goes on with stubs for these. Run `make charts` again where their hosts can be reached")
	return b.String()
}

// Host is where the chart is published.
func (p Pin) Host() string {
	host, _, _ := strings.Cut(p.repository(), "/")
	return host
}

// Fill fetches every chart that is not there or not whole, and keeps each as soon as it
// is. It can be called again after any failure or kill. Where charts could not be
// fetched the error is a *MissingError.
func (m Mirror) Fill(ctx context.Context, f Fetch) error {
	if f.Progress == nil {
		f.Progress = func(Fetched) {}
	}
	if f.Waiting == nil {
		f.Waiting = func() {}
	}
	if err := os.MkdirAll(m.Dir, 0o700); err != nil {
		return fmt.Errorf("the chart mirror: %w", err)
	}
	lock, err := files.Lock(ctx, filepath.Join(m.Dir, ".lock"), f.Waiting)
	if err != nil {
		return fmt.Errorf("the chart mirror: %w", err)
	}
	defer func() { _ = lock.Close() }()
	i, err := m.load()
	if err != nil {
		return err
	}
	if err := m.sweep(); err != nil {
		return err
	}
	scratch := filepath.Join(m.Dir, scratchDir)
	defer func() { _ = os.RemoveAll(scratch) }() // else the next run does
	hosts, err := newHosts(f.Transport, scratch)
	if err != nil {
		return err
	}
	missing := &MissingError{Total: len(f.Pins)}
	for n, pin := range f.Pins {
		got, err := m.ensure(ctx, hosts, &i, pin, func() { f.Progress(Fetched{Chart: pin, Begun: true, Done: n, Total: len(f.Pins)}) })
		if err != nil {
			return err
		}
		got.Chart, got.Done, got.Total = pin, n+1, len(f.Pins)
		if got.Err != nil {
			missing.Missing = append(missing.Missing, got)
		}
		f.Progress(got)
	}
	if len(missing.Missing) > 0 {
		return missing
	}
	return nil
}

// scratchDir is for what Helm's client wants on disk.
const scratchDir = ".scratch"

// sweep removes what a killed run left half done.
func (m Mirror) sweep() error {
	err := os.RemoveAll(filepath.Join(m.Dir, scratchDir))
	if err == nil {
		err = filepath.WalkDir(m.Dir, func(p string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(p, ".tmp") { // of files.Replace
				return err
			}
			return os.Remove(p)
		})
	}
	if err != nil {
		return fmt.Errorf("the chart mirror: %w", err)
	}
	return nil
}

// ensure makes one chart be there. The error is of the mirror or of ctx; that of the
// chart's host is in what it returns.
func (m Mirror) ensure(ctx context.Context, h *hosts, i *index, pin Pin, begin func()) (Fetched, error) {
	at := slices.IndexFunc(i.Charts, func(c Mirrored) bool { return c.Pin == pin })
	if at >= 0 {
		former := i.Charts[at]
		data, found, err := m.read(former)
		if found && err == nil {
			return Fetched{Already: true, Bytes: len(data), CheckedAgainst: former.CheckedAgainst}, nil
		}
		if damaged := (*DamagedError)(nil); err != nil && !errors.As(err, &damaged) {
			return Fetched{}, err
		}
		if err := m.drop(i, former); err != nil {
			return Fetched{}, err
		}
	}
	begin()
	data, checked, err := h.fetch(ctx, pin)
	if ctx.Err() != nil {
		return Fetched{}, fmt.Errorf("chart %s: %w", pin, context.Cause(ctx))
	}
	if err == nil {
		err = pin.isIn(data)
	}
	if err != nil {
		return Fetched{Err: err}, nil //nolint:nilerr // this chart failed, the others go on
	}
	return Fetched{Bytes: len(data), CheckedAgainst: checked}, m.add(i, pin, data, checked)
}

// isIn says whether an archive holds the chart that was asked for.
func (p Pin) isIn(archive []byte) error {
	got, err := loader.LoadArchive(bytes.NewReader(archive))
	if err != nil {
		return fmt.Errorf("what it sent is no chart: %w", err)
	}
	if got.Name() != p.Name || got.Metadata.Version != p.Version {
		return fmt.Errorf("it sent the chart %s %s", got.Name(), got.Metadata.Version)
	}
	return nil
}

// hosts reaches the charts' hosts through the Helm SDK.
type hosts struct {
	getters  getter.Providers
	registry *registry.Client
	scratch  string
	indexes  map[string]indexed // by repository
}

// indexed is a repository's index, or why there is none: each is asked for once.
type indexed struct {
	index *repo.IndexFile
	err   error
}

func newHosts(transport *http.Transport, scratch string) (*hosts, error) {
	if transport == nil {
		transport = http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // net/http says so
		transport.DialContext = (&net.Dialer{Timeout: dialLimit}).DialContext
	}
	settings := cli.New()
	client, err := registry.NewClient(
		registry.ClientOptCredentialsFile(settings.RegistryConfig), registry.ClientOptWriter(io.Discard),
		registry.ClientOptHTTPClient(&http.Client{Transport: transport, Timeout: fetchLimit}),
	)
	if err != nil {
		return nil, fmt.Errorf("client for registries of charts: %w", err)
	}
	return &hosts{
		getters:  getter.All(settings, getter.WithTransport(transport), getter.WithTimeout(fetchLimit)),
		registry: client, scratch: scratch, indexes: map[string]indexed{},
	}, nil
}

// fetch gets an archive and says what it was checked against. Helm's client cannot be
// interrupted: at the end of ctx it is left to itself.
func (h *hosts) fetch(ctx context.Context, pin Pin) ([]byte, string, error) {
	type answer struct {
		data    []byte
		checked string
		err     error
	}
	answers := make(chan answer, 1)
	go func() {
		get := h.get
		if strings.HasPrefix(pin.Source, registry.OCIScheme+"://") {
			get = h.pull
		}
		data, checked, err := get(pin)
		answers <- answer{data, checked, err}
	}()
	select {
	case a := <-answers:
		return a.data, a.checked, a.err
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
}

// pull gets a chart from a registry, whose client checks every digest.
func (h *hosts) pull(pin Pin) ([]byte, string, error) {
	result, err := h.registry.Pull(pin.repository() + "/" + pin.Name + ":" + pin.Version)
	if err != nil {
		return nil, "", err
	}
	return result.Chart.Data, "the registry's manifest", nil
}

// get gets a chart from a repository with an index.
func (h *hosts) get(pin Pin) ([]byte, string, error) {
	all, err := h.indexOf(pin.Source)
	if err != nil {
		return nil, "", err
	}
	entry, err := all.Get(pin.Name, pin.Version)
	if err != nil {
		return nil, "", fmt.Errorf("the index of %s does not have it: %w", pin.Source, err)
	}
	if len(entry.URLs) == 0 {
		return nil, "", fmt.Errorf("the index of %s says no address for it", pin.Source)
	}
	address, err := repo.ResolveReferenceURL(pin.Source, entry.URLs[0])
	if err != nil {
		return nil, "", err
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, "", err
	}
	client, err := h.getters.ByScheme(u.Scheme)
	if err != nil {
		return nil, "", err
	}
	body, err := client.Get(address, getter.WithURL(pin.Source))
	if err != nil {
		return nil, "", err
	}
	if entry.Digest == "" {
		return body.Bytes(), "nothing", nil
	}
	if got := sha256Of(body.Bytes()); got != strings.TrimPrefix(entry.Digest, "sha256:") {
		return nil, "", fmt.Errorf("%s has the SHA-256 %s, and the index of %s says %s: it is not kept", address, got, pin.Source, entry.Digest)
	}
	return body.Bytes(), "the repository's index", nil
}

func (h *hosts) indexOf(source string) (*repo.IndexFile, error) {
	if known, asked := h.indexes[source]; asked {
		return known.index, known.err
	}
	load := func() (*repo.IndexFile, error) {
		r, err := repo.NewChartRepository(&repo.Entry{Name: fmt.Sprintf("repository-%d", len(h.indexes)), URL: source}, h.getters)
		if err != nil {
			return nil, err
		}
		r.CachePath = h.scratch
		file, err := r.DownloadIndexFile()
		if err != nil {
			return nil, err
		}
		return repo.LoadIndexFile(file)
	}
	found, err := load()
	h.indexes[source] = indexed{found, err}
	return found, err
}
