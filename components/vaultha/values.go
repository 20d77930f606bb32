package vaultha

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"sigs.k8s.io/yaml"

	"github.com/strongroom-platform/strongroom/internal/kubeobject"
)

// Values are those of the chart hashicorp/vault that differ from its defaults, as of
// versions 0.30 to 0.34:
// https://github.com/hashicorp/vault-helm/blob/v0.34.1/values.yaml
type Values struct {
	Global   Global   `json:"global"`
	Injector Injector `json:"injector"`
	Server   Chart    `json:"server"`
}

// Global values. TLSDisable is true by default in the chart.
type Global struct {
	TLSDisable bool `json:"tlsDisable"`
}

// Injector adds agents to pods that ask for their secrets by annotations.
type Injector struct {
	Enabled             bool             `json:"enabled"`
	Replicas            int              `json:"replicas"`
	AgentImage          ImageValue       `json:"agentImage"`
	Resources           Resources        `json:"resources"`
	PodDisruptionBudget DisruptionBudget `json:"podDisruptionBudget"`
}

// Chart is the chart's "server".
type Chart struct {
	Image                     ImageValue        `json:"image"`
	UpdateStrategyType        string            `json:"updateStrategyType"`
	Resources                 Resources         `json:"resources"`
	ReadinessProbe            Probe             `json:"readinessProbe"`
	LivenessProbe             Probe             `json:"livenessProbe"`
	ExtraEnvironmentVars      map[string]string `json:"extraEnvironmentVars"`
	ExtraVolumes              []ExtraVolume     `json:"extraVolumes"`
	Volumes                   []Volume          `json:"volumes"`
	VolumeMounts              []VolumeMount     `json:"volumeMounts"`
	Affinity                  Affinity          `json:"affinity"`
	TopologySpreadConstraints []Spread          `json:"topologySpreadConstraints"`
	DataStorage               Claim             `json:"dataStorage"`
	AuditStorage              Claim             `json:"auditStorage"`
	Standalone                Enabled           `json:"standalone"`
	HA                        HA                `json:"ha"`
	ServiceAccount            ServiceAccount    `json:"serviceAccount"`
	StatefulSet               StatefulSet       `json:"statefulSet"`
}

type (
	// ImageValue is an image.
	ImageValue struct {
		Repository string `json:"repository"`
		Tag        string `json:"tag"`
	}
	// Enabled switches a part of the chart.
	Enabled struct {
		Enabled bool `json:"enabled"`
	}
	// Resources of a container.
	Resources struct {
		Requests map[string]string `json:"requests"`
		Limits   map[string]string `json:"limits"`
	}
	// Probe by HTTP, with the scheme that the chart derives from TLSDisable.
	Probe struct {
		Enabled          bool   `json:"enabled"`
		Path             string `json:"path"`
		PeriodSeconds    int    `json:"periodSeconds,omitempty"`
		TimeoutSeconds   int    `json:"timeoutSeconds,omitempty"`
		FailureThreshold int    `json:"failureThreshold,omitempty"`
	}
	// ExtraVolume is a Secret mounted below /vault/userconfig.
	ExtraVolume struct {
		Type string `json:"type"`
		Name string `json:"name"`
	}
	// Volume is a folder that lives as long as the pod.
	Volume struct {
		Name     string   `json:"name"`
		EmptyDir struct{} `json:"emptyDir"`
	}
	// VolumeMount is where it is seen.
	VolumeMount struct {
		Name      string `json:"name"`
		MountPath string `json:"mountPath"`
	}
	// Affinity keeps servers apart.
	Affinity struct {
		PodAntiAffinity struct {
			Required []AffinityTerm `json:"requiredDuringSchedulingIgnoredDuringExecution"`
		} `json:"podAntiAffinity"`
	}
	// AffinityTerm is one reason to be apart.
	AffinityTerm struct {
		LabelSelector Selector `json:"labelSelector"`
		TopologyKey   string   `json:"topologyKey"`
	}
	// Selector of pods.
	Selector struct {
		MatchLabels map[string]string `json:"matchLabels"`
	}
	// Spread over zones.
	Spread struct {
		MaxSkew           int      `json:"maxSkew"`
		TopologyKey       string   `json:"topologyKey"`
		WhenUnsatisfiable string   `json:"whenUnsatisfiable"`
		LabelSelector     Selector `json:"labelSelector"`
	}
	// Claim for a volume of each server.
	Claim struct {
		Enabled      bool   `json:"enabled"`
		Size         string `json:"size"`
		StorageClass string `json:"storageClass"`
		AccessMode   string `json:"accessMode"`
	}
	// HA is several servers.
	HA struct {
		Enabled          bool             `json:"enabled"`
		Replicas         int              `json:"replicas"`
		APIAddr          string           `json:"apiAddr"`
		Raft             Raft             `json:"raft"`
		DisruptionBudget DisruptionBudget `json:"disruptionBudget"`
	}
	// Raft has the configuration of the servers.
	Raft struct {
		Enabled   bool   `json:"enabled"`
		SetNodeID bool   `json:"setNodeId"`
		Config    string `json:"config"`
	}
	// DisruptionBudget says how many pods may be missing on purpose.
	DisruptionBudget struct {
		Enabled        bool `json:"enabled,omitempty"`
		MaxUnavailable int  `json:"maxUnavailable"`
	}
	// ServiceAccount of the servers.
	ServiceAccount struct {
		Create bool   `json:"create"`
		Name   string `json:"name"`
	}
	// StatefulSet has the security contexts of the servers.
	StatefulSet struct {
		SecurityContext struct {
			Pod       PodSecurity       `json:"pod"`
			Container ContainerSecurity `json:"container"`
		} `json:"securityContext"`
	}
	// PodSecurity is who the pod runs as.
	PodSecurity struct {
		RunAsNonRoot   bool              `json:"runAsNonRoot"`
		RunAsUser      int               `json:"runAsUser"`
		RunAsGroup     int               `json:"runAsGroup"`
		FSGroup        int               `json:"fsGroup"`
		SeccompProfile map[string]string `json:"seccompProfile"`
	}
	// ContainerSecurity is what the container may not.
	ContainerSecurity struct {
		AllowPrivilegeEscalation bool                `json:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool                `json:"readOnlyRootFilesystem"`
		Capabilities             map[string][]string `json:"capabilities"`
	}
)

// ChartValues returns the chart's values for the arguments and the unseal key.
func (a *Args) ChartValues(unsealKeyARN string) Values {
	servers := Selector{map[string]string{
		"app.kubernetes.io/name": "vault", "app.kubernetes.io/instance": Release, "component": "server",
	}}
	class := a.Storage.StorageClass
	if a.Storage.Kind == EFS {
		class = efsClass
	}
	claim := func(size int) Claim {
		return Claim{Enabled: true, Size: gib(size), StorageClass: class, AccessMode: "ReadWriteOnce"}
	}
	v := Values{
		Injector: Injector{
			Enabled:             true,
			Replicas:            2,
			AgentImage:          ImageValue(a.Image),
			Resources:           resources("50m", "64Mi", "128Mi"),
			PodDisruptionBudget: DisruptionBudget{MaxUnavailable: 1},
		},
		Server: Chart{
			Image: ImageValue(a.Image),
			// A person, or the runbook, restarts the standbys first.
			UpdateStrategyType: "OnDelete",
			Resources:          resources("250m", "512Mi", "1Gi"),
			// Ready is who can answer: unsealed, and active or standby.
			ReadinessProbe: Probe{Enabled: true, Path: "/v1/sys/health?standbyok=true"},
			// Alive is who answers at all: nobody is started again for being sealed. A
			// server that ceases to be active can block itself for ever (RaftBackend's
			// StopAutopilot in 1.21), and as long as it still sends heartbeats, no other
			// takes over. Ten minutes, because nothing is answered either while a snapshot
			// is put in, or while a new leader waits for KMS.
			LivenessProbe: Probe{
				Enabled:       true,
				Path:          "/v1/sys/health?standbyok=true&sealedcode=204&uninitcode=204&haunhealthycode=204&removedcode=204",
				PeriodSeconds: 30, TimeoutSeconds: 5, FailureThreshold: 20,
			},
			ExtraEnvironmentVars: map[string]string{
				"VAULT_CACERT": tlsPath + "/ca.crt",
			},
			ExtraVolumes: []ExtraVolume{{Type: "secret", Name: TLSSecret}},
			// The chart's start writes its configuration there.
			Volumes:      []Volume{{Name: "tmp"}},
			VolumeMounts: []VolumeMount{{Name: "tmp", MountPath: "/tmp"}},
			// A zone that is lost takes no majority with it.
			TopologySpreadConstraints: []Spread{{
				MaxSkew: 1, TopologyKey: "topology.kubernetes.io/zone", WhenUnsatisfiable: "DoNotSchedule", LabelSelector: servers,
			}},
			DataStorage:    claim(a.Storage.SizeGiB),
			AuditStorage:   claim(a.Storage.AuditSizeGiB),
			ServiceAccount: ServiceAccount{Create: true, Name: ServerAccount},
			HA: HA{
				Enabled:  true,
				Replicas: a.Replicas,
				// What clients are redirected to has a name that is in the certificate.
				APIAddr: fmt.Sprintf("https://$(VAULT_K8S_POD_NAME).%s-internal:%d", Release, apiPort),
				Raft: Raft{
					Enabled: true, SetNodeID: true,
					Config: ServerConfig(Server{Replicas: a.Replicas, Region: a.Region, UnsealKeyARN: unsealKeyARN}),
				},
				DisruptionBudget: DisruptionBudget{Enabled: true, MaxUnavailable: 1},
			},
		},
	}
	v.Server.Affinity.PodAntiAffinity.Required = []AffinityTerm{{LabelSelector: servers, TopologyKey: "kubernetes.io/hostname"}}
	v.Server.StatefulSet.SecurityContext.Pod = PodSecurity{
		RunAsNonRoot: true, RunAsUser: vaultUser, RunAsGroup: vaultGroup, FSGroup: vaultGroup,
		SeccompProfile: map[string]string{"type": "RuntimeDefault"},
	}
	v.Server.StatefulSet.SecurityContext.Container = ContainerSecurity{
		ReadOnlyRootFilesystem: true, Capabilities: map[string][]string{"drop": {"ALL"}},
	}
	return v
}

func resources(cpu, memory, memoryLimit string) Resources {
	// No limit of CPU: a throttled server misses heartbeats and loses the lead.
	return Resources{
		Requests: map[string]string{"cpu": cpu, "memory": memory},
		Limits:   map[string]string{"memory": memoryLimit},
	}
}

// chartValues makes the Secret that the HelmRelease reads.
func (b *builder) chartValues() error {
	text := b.vault.UnsealKeyARN.ApplyT(func(key string) (string, error) {
		values, err := yaml.Marshal(b.args.ChartValues(key))
		return string(values), err
	}).(pulumi.StringOutput)
	_, err := kubeobject.NewSecret(b.ctx, b.name+"-values", kubeobject.Opaque, metadata(ValuesSecret), pulumi.StringMap{
		ValuesKey: pulumi.ToSecret(text).(pulumi.StringOutput),
	}, b.inNamespace()...)
	return err
}
