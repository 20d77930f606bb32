// Package tree checks gitops/ without a cluster, as `make gitops-check` and every test
// run do: it builds each kustomization as Flux does, substitutes the values that Pulumi
// hands over, and holds every object against the schema of its type and the tree
// against the rules in this package, one file each.
//
// What it does not prove: that the controllers accept a chart's values, and that what is
// installed works. The definitions of resource types come from the modules in
// tools/crds, at the versions that are installed.
package tree
