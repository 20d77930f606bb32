package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
)

// Root is the folder that holds everything Flux reads.
const Root = "gitops"

// Tree is a copy of gitops/ in memory, so that a test can break one thing in it.
type Tree struct {
	files filesys.FileSystem
}

// Load reads gitops/ of a checkout.
func Load(checkout string) (*Tree, error) {
	t := &Tree{files: filesys.MakeFsInMemory()}
	err := filepath.WalkDir(filepath.Join(checkout, Root), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(checkout, name)
		if err != nil {
			return err
		}
		return t.Write(filepath.ToSlash(rel), string(content))
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", Root, err)
	}
	return t, nil
}

// Write puts a file into the copy, by its path from the root of the checkout.
func (t *Tree) Write(name, content string) error {
	return t.files.WriteFile("/"+name, []byte(content))
}

// Read returns a file of the copy.
func (t *Tree) Read(name string) (string, error) {
	content, err := t.files.ReadFile("/" + name)
	return string(content), err
}

// Files lists the files of the copy, sorted.
func (t *Tree) Files() ([]string, error) {
	var names []string
	err := t.files.Walk("/"+Root, func(name string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			names = append(names, strings.TrimPrefix(name, "/"))
		}
		return err
	})
	slices.Sort(names)
	return names, err
}

// Check holds the tree against every rule. values are what Pulumi hands over, by
// cluster. The error joins all that is wrong, each line naming the object or the file.
func (t *Tree) Check(types *Types, values map[string]map[string]string) error {
	used := map[string]bool{}
	var problems []error
	for _, name := range runtimeinfo.Clusters() {
		c, err := t.build(name, values[name], used)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		for _, rule := range []func(*cluster) []error{
			types.check, graph, order, pins, secrets, patience, owners,
		} {
			for _, err := range rule(c) {
				problems = append(problems, fmt.Errorf("cluster %s: %w", name, err))
			}
		}
	}
	if len(problems) == 0 {
		// With a folder that did not build, everything below it would count as unused.
		orphans, err := t.orphans(used)
		if err != nil {
			return err
		}
		problems = append(problems, orphans...)
	}
	return errors.Join(problems...)
}

// clean turns the path of a Flux Kustomization into one of the copy's.
func clean(p string) string { return path.Clean(strings.TrimPrefix(p, "./")) }
