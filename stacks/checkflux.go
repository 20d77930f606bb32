package stacks

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/strongroom-platform/strongroom/components/fluxbootstrap"
	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
)

// imageForm is an image with a tag or a digest.
var imageForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._:/-]*(:[A-Za-z0-9_][A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})$`)

// checkFlux checks what Flux and its tree are told.
func (c *Config) checkFlux(d *decoder) {
	if d.has("flux") && d.required("flux.url") {
		c.Flux.check(d)
	}
	switch {
	case !d.has("fluxPrivateKey"):
	case !d.has("flux"):
		d.problem("fluxPrivateKey", "there is no Flux that would use it: configure "+namespace+":flux, or remove it")
	default:
		report(d, "fluxPrivateKey", fluxbootstrap.CheckPrivateKey(c.FluxPrivateKey))
	}
	if u, err := url.Parse(c.GitLab.URL); err != nil || u.Scheme != "https" || u.Host == "" || strings.HasSuffix(u.Path, "/") ||
		runtimeinfo.CheckValue(runtimeinfo.GitLabURL, c.GitLab.URL) != nil {
		d.problemf("gitlab.url", "%q is no address of a GitLab: expected one such as %q, without a slash at the end", c.GitLab.URL, "https://gitlab.com")
	}
	if !imageForm.MatchString(c.GitLab.RunnerImage) || strings.HasSuffix(c.GitLab.RunnerImage, ":latest") {
		d.problemf("gitlab.runnerImage", "%q is no pinned image: expected one with a tag, such as %q", c.GitLab.RunnerImage, "quay.io/podman/stable:v5.6.2")
	}
}

func (f *Flux) check(d *decoder) {
	remote, err := fluxbootstrap.ParseURL(f.URL)
	report(d, "flux.url", err)
	report(d, "flux.branch", fluxbootstrap.CheckBranch(f.Branch))
	report(d, "flux.charts", fluxbootstrap.CheckCharts(f.Charts))
	if d.has("flux.path") {
		report(d, "flux.path", fluxbootstrap.CheckPath(f.Path))
	}
	if err == nil {
		report(d, "flux.knownHosts", fluxbootstrap.CheckKnownHosts(f.KnownHosts, remote))
	}
}

func report(d *decoder, path string, err error) {
	if err != nil {
		d.problem(path, err.Error())
	}
}
