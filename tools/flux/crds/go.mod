// Not built: the modules whose CRDs the sandbox gives to its clusters.
module github.com/strongroom-platform/strongroom/tools/flux/crds

go 1.26.0

require (
	github.com/external-secrets/external-secrets v1.3.2
	github.com/fluxcd/helm-controller v1.6.3
	github.com/fluxcd/image-automation-controller v1.2.4
	github.com/fluxcd/image-reflector-controller v1.2.4
	github.com/fluxcd/kustomize-controller v1.9.4
	github.com/fluxcd/notification-controller v1.9.3
	github.com/fluxcd/source-controller v1.9.4
	github.com/prometheus-operator/prometheus-operator v0.85.0
)
