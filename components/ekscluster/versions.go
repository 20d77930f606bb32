package ekscluster

// SupportedVersions are the Kubernetes versions that a cluster can have, oldest
// first. EKS goes up one minor version at a time and never down. The oldest is
// what Flux 2.9 and the add-ons here still run on, the newest what EKS offers:
// https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html.
var SupportedVersions = []string{"1.34", "1.35", "1.36"}
