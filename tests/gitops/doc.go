// Package gitops tests what gitops/ holds, without a cluster.
package gitops
