// Where the definitions of the resource types in gitops/ come from: no code is built,
// tests/gitops/tree reads the YAML that these modules ship.
module github.com/strongroom-platform/strongroom/tools/crds

go 1.26.0

require (
	github.com/controlplaneio-fluxcd/flux-operator v0.58.0
	github.com/external-secrets/external-secrets v1.3.2
	github.com/kubernetes-sigs/aws-load-balancer-controller v0.0.0-20260423195125-93ff3b5fdaad
	github.com/prometheus-operator/prometheus-operator v0.85.0
)
