package tree

import "fmt"

// orphans lists the files that no cluster takes part in.
func (t *Tree) orphans(used map[string]bool) ([]error, error) {
	files, err := t.Files()
	if err != nil {
		return nil, err
	}
	var problems []error
	for _, name := range files {
		if !used[name] {
			problems = append(problems, fmt.Errorf("%s: no cluster uses it: list it in a kustomization.yaml, or remove it", name))
		}
	}
	return problems, nil
}
