package account

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// kubernetesVersions are those that the simulated EKS offers, oldest first. They
// are the ones of components/ekscluster, which a test holds.
var kubernetesVersions = []string{"1.34", "1.35", "1.36"}

// kubeletSkew is by how many minor versions nodes may be behind their control
// plane: https://kubernetes.io/releases/version-skew-policy/#kubelet.
const kubeletSkew = 3

func newestVersion() string { return kubernetesVersions[len(kubernetesVersions)-1] }

// supportedVersion takes the empty version for EKS's default.
func supportedVersion(version string) error {
	if version == "" || slices.Contains(kubernetesVersions, version) {
		return nil
	}
	return refuse("InvalidParameterException", "unsupported Kubernetes version %q: EKS offers %s", version, strings.Join(kubernetesVersions, ", "))
}

// minor is the second part of a Kubernetes version such as "1.35". The first
// has been 1 since 2015.
func minor(version string) int {
	_, rest, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(rest)
	if err != nil {
		return -1
	}
	return n
}

// checkUpgrade lets a cluster go up one minor version at a time, with nodes that
// are not too old for it:
// https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html.
func (v *view) checkUpgrade(old, o *Object) error {
	from, to := old.out().String("version"), o.out().String("version")
	if from == to {
		return nil
	}
	if err := supportedVersion(to); err != nil {
		return err
	}
	switch step := minor(to) - minor(from); {
	case step < 0:
		return refuse("InvalidParameterException", "unsupported Kubernetes minor version update from %s to %s: a cluster cannot go back", from, to)
	case step > 1:
		return refuse("InvalidParameterException", "unsupported Kubernetes minor version update from %s to %s: the next one is 1.%d", from, to, minor(from)+1)
	}
	tooOld := v.first(typeNodeGroup, func(group *Object) bool {
		return group.out().String("clusterName") == o.ID && minor(to)-minor(group.out().String("version")) > kubeletSkew
	})
	if tooOld != nil {
		return refuse("InvalidRequestException", "cluster %q cannot be updated to %s: node group %q is at %s, and nodes may be at most %d minor versions behind",
			o.ID, to, tooOld.out().String("nodeGroupName"), tooOld.out().String("version"), kubeletSkew)
	}
	return nil
}

// nodeVersion returns the version that a node group asks for, which must not be
// ahead of the cluster's. Empty means the cluster's.
func nodeVersion(wanted string, cluster *Object) (string, error) {
	running := cluster.out().String("version")
	if wanted == "" {
		return running, nil
	}
	if err := supportedVersion(wanted); err != nil {
		return "", err
	}
	if behind := minor(running) - minor(wanted); behind < 0 || behind > kubeletSkew {
		return "", refuse("InvalidParameterException", "Kubernetes version %s of the node group does not fit cluster %q, which is at %s: nodes are at that version or at most %d minor versions behind",
			wanted, cluster.ID, running, kubeletSkew)
	}
	return wanted, nil
}

// releaseVersion is the image's version as EKS names it.
func releaseVersion(version string) string { return fmt.Sprintf("%s.0-20260101", version) }
