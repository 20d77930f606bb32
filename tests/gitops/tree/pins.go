package tree

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	exact  = regexp.MustCompile(`^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)
	digest = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)
)

// pins refuses whatever would be another thing tomorrow without a commit: versions of
// charts that are ranges, and images and charts by a tag that moves.
func pins(c *cluster) []error {
	var problems []error
	for _, name := range c.names() {
		for _, o := range c.units[name].objects {
			complain := func(what, value string) {
				problems = append(problems, fmt.Errorf("Kustomization %s: %s: %s %q is not pinned: give one exact version", name, o, what, value))
			}
			switch o.kind() {
			case "HelmRelease":
				if v := o.text("spec", "chart", "spec", "version"); o.object("spec", "chart") != nil && !exact.MatchString(v) {
					complain("chart version", v)
				}
			case "OCIRepository":
				if tag := o.text("spec", "ref", "tag"); !exact.MatchString(tag) && o.text("spec", "ref", "digest") == "" {
					complain("tag", tag)
				}
			}
			for _, image := range images(o) {
				if !pinned(image) {
					complain("image", image)
				}
			}
		}
	}
	return problems
}

func pinned(image string) bool {
	if digest.MatchString(image) {
		return true
	}
	_, tag, found := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	return found && strings.ContainsAny(tag, "0123456789") && tag != "latest"
}

// images are those of all containers, however deep the pod's template is.
func images(v any) []string {
	var found []string
	switch v := v.(type) {
	case object:
		return images(map[string]any(v))
	case map[string]any:
		for key, value := range v {
			if list, ok := value.([]any); ok && (key == "containers" || key == "initContainers") {
				for _, c := range items(list) {
					found = append(found, c.text("image"))
				}
				continue
			}
			found = append(found, images(value)...)
		}
	case []any:
		for _, value := range v {
			found = append(found, images(value)...)
		}
	}
	return found
}
