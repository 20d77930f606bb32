package fluxbootstrap

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
)

// DefaultCharts is where the charts of flux-operator and flux-instance are published.
const DefaultCharts = runtimeinfo.OperatorCharts

// Versions that go together: the charts' release knows the release of Flux.
const (
	// ChartVersion is of flux-operator and flux-instance, which are released together.
	ChartVersion = runtimeinfo.OperatorVersion
	// FluxVersion is of the controllers.
	FluxVersion = runtimeinfo.FluxVersion
)

// Args of a FluxBootstrap.
type Args struct {
	// Cluster is the folder below gitops/clusters whose values RuntimeInfo holds:
	// "tooling" or "application".
	Cluster string
	Git     Git
	// Charts is where the charts are: an oci:// address, or a folder that holds the
	// chart folders flux-operator and flux-instance. Empty for DefaultCharts.
	Charts string
	// RuntimeInfo has one value per key of runtimeinfo.For(Cluster).
	RuntimeInfo map[string]pulumi.StringInput
}

// Git is the repository that Flux reads.
type Git struct {
	// URL with ssh:// and a user.
	URL string
	// Branch that is read, and that image automation writes to.
	Branch string
	// Path of the cluster's folder in the repository. Empty for
	// gitops/clusters/<cluster>.
	Path string
	// KnownHosts are the lines of ssh's known_hosts for the host of URL. Nothing is
	// trusted on first use.
	KnownHosts string
	// PrivateKey that reads the repository, as PEM or OpenSSH text without a
	// passphrase. Nil: one is made, and its public half is an output.
	PrivateKey pulumi.StringInput
}

var (
	// branchForm is what git check-ref-format allows, without what a shell or a URL
	// would read as something else.
	branchForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$`)
	pathForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)
)

// Validate reports the first argument with which Flux would not come up.
func (a *Args) Validate(name string) error {
	if a == nil {
		return fmt.Errorf("flux %q: the arguments are nil", name)
	}
	if err := a.validate(); err != nil {
		return fmt.Errorf("flux %q: %w", name, err)
	}
	return nil
}

func (a *Args) validate() error {
	if err := a.Git.Validate(); err != nil {
		return err
	}
	if err := CheckCharts(a.Charts); err != nil {
		return fmt.Errorf("charts: %w", err)
	}
	return runtimeinfo.Check(a.Cluster, a.RuntimeInfo)
}

// Validate reports the first thing about the repository that Flux would refuse. Its
// errors begin with the name of the setting: url, branch, path, knownHosts, privateKey.
func (g Git) Validate() error {
	remote, err := ParseURL(g.URL)
	if err != nil {
		return fmt.Errorf("url: %w", err)
	}
	if err := CheckBranch(g.Branch); err != nil {
		return fmt.Errorf("branch: %w", err)
	}
	if g.Path != "" {
		if err := CheckPath(g.Path); err != nil {
			return fmt.Errorf("path: %w", err)
		}
	}
	if err := CheckKnownHosts(g.KnownHosts, remote); err != nil {
		return fmt.Errorf("knownHosts: %w", err)
	}
	if plain, ok := g.PrivateKey.(pulumi.String); ok {
		if err := CheckPrivateKey(string(plain)); err != nil {
			return fmt.Errorf("privateKey: %w", err)
		}
	}
	return nil
}

// CheckBranch reports a name that git refuses for a branch.
func CheckBranch(branch string) error {
	bad := strings.Contains(branch, "..") || strings.Contains(branch, "//") || strings.Contains(branch, "/.") ||
		strings.HasSuffix(branch, "/") || strings.HasSuffix(branch, ".") || strings.HasSuffix(branch, ".lock")
	if bad || !branchForm.MatchString(branch) {
		return fmt.Errorf("%q is no name of a branch: use one such as %q", branch, "main")
	}
	return nil
}

// CheckPath reports a path that is not inside the repository.
func CheckPath(p string) error {
	if p != path.Clean(p) || !pathForm.MatchString(p) || slices.Contains(strings.Split(p, "/"), "..") {
		return fmt.Errorf("%q is no folder in the repository: use one such as %q", p, "gitops/clusters/tooling")
	}
	return nil
}

// CheckCharts reports a place that no chart can be taken from.
func CheckCharts(charts string) error {
	if scheme, rest, found := strings.Cut(charts, "://"); found && (scheme != "oci" || rest == "") {
		return fmt.Errorf("%q is no place for charts: use an oci:// address such as %q, or a folder", charts, DefaultCharts)
	}
	if charts != strings.TrimRight(charts, "/") {
		return fmt.Errorf("%q ends in a slash: leave it out", charts)
	}
	return nil
}

// path is where the cluster's folder is.
func (a *Args) path() string {
	if a.Git.Path != "" {
		return a.Git.Path
	}
	return "gitops/clusters/" + a.Cluster
}

// charts is where the charts are.
func (a *Args) charts() string {
	if a.Charts != "" {
		return a.Charts
	}
	return DefaultCharts
}

// inputs are what the state records of what was asked for.
func (a *Args) inputs() pulumi.Map {
	return pulumi.Map{
		"cluster": pulumi.String(a.Cluster),
		"url":     pulumi.String(a.Git.URL),
		"branch":  pulumi.String(a.Git.Branch),
		"path":    pulumi.String(a.path()),
		"charts":  pulumi.String(a.charts()),
	}
}
