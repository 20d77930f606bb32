package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

const (
	clusterIdentifier = "clusterIdentifier"
	kubeconfigKey     = "kubeconfig"
)

// settings are the provider's configuration.
type settings struct {
	kubeconfig, context, cluster, namespace string
	// deleteUnreachable takes resources of a cluster that is gone out of the state.
	deleteUnreachable bool
	// mutableSecrets and mutableConfigMaps update data in place instead of replacing.
	mutableSecrets, mutableConfigMaps bool
	suppressDeprecationWarnings       bool
	client                            clientSettings
}

// clientSettings are the limits of the client; the defaults are the official plugin's.
type clientSettings struct {
	Burst   *int     `json:"burst"`
	QPS     *float32 `json:"qps"`
	Timeout *int     `json:"timeout"`
}

// knownSettings says why a configuration key's value is refused, or "". Keys that are
// not in it are refused.
var knownSettings = map[string]func(v any) string{
	kubeconfigKey:                 isText,
	"context":                     isText,
	"cluster":                     isText,
	"namespace":                   isText,
	clusterIdentifier:             isText,
	"deleteUnreachable":           isFlag,
	"enableSecretMutable":         isFlag,
	"enableConfigMapMutable":      isFlag,
	"suppressDeprecationWarnings": isFlag,
	"suppressHelmHookWarnings":    isFlag,
	"kubeClientSettings":          isClientSettings,
	"enableServerSideApply": func(v any) string {
		if on, ok := flagOf(v); !ok || !on {
			return "the sandbox's provider applies on the server's side only: expected true"
		}
		return ""
	},
	"skipUpdateUnreachable": func(v any) string {
		if on, ok := flagOf(v); !ok || on {
			return "is not modelled by the sandbox's provider: expected false"
		}
		return ""
	},
}

// unmodelled are keys of the official plugin that the sandbox refuses.
var unmodelled = []string{"renderYamlToDirectory", "helmReleaseSettings", "strictMode"}

func isText(v any) string {
	if _, ok := v.(string); !ok {
		return fmt.Sprintf("expected a text, got %T", v)
	}
	return ""
}

func isFlag(v any) string {
	if _, ok := flagOf(v); !ok {
		return fmt.Sprintf("expected true or false, got %v", v)
	}
	return ""
}

// flagOf reads a bool, which SDKs send as text.
func flagOf(v any) (on, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		return v == "true", v == "true" || v == "false"
	}
	return false, false
}

func isClientSettings(v any) string {
	if _, err := clientSettingsOf(v); err != nil {
		return fmt.Sprintf("expected an object with burst, qps and timeout: %v", err)
	}
	return ""
}

// clientSettingsOf reads an object, which SDKs send as JSON.
func clientSettingsOf(v any) (clientSettings, error) {
	var result clientSettings
	text, ok := v.(string)
	if !ok {
		encoded, err := json.Marshal(v)
		if err != nil {
			return result, err
		}
		text = string(encoded)
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	return result, decoder.Decode(&result)
}

// checkSettings returns a failure per wrong key. Unknown values are taken on trust.
func checkSettings(config resource.PropertyMap) []*pulumirpc.CheckFailure {
	var failures []*pulumirpc.CheckFailure
	for _, key := range config.StableKeys() {
		if resource.IsInternalPropertyKey(key) || key == "version" || key == "pluginDownloadURL" {
			continue
		}
		plain, known := plugin.Plain(config[key])
		if !known || plain == nil {
			continue
		}
		reason := ""
		switch valid, ok := knownSettings[string(key)]; {
		case ok:
			reason = valid(plain)
		case slices.Contains(unmodelled, string(key)):
			reason = "is not modelled by the sandbox's provider: leave it out, or use the official plugin (--plugins official)"
		default:
			reason = "unknown key: expected one of " + strings.Join(slices.Sorted(maps.Keys(knownSettings)), ", ")
		}
		if reason != "" {
			failures = append(failures, &pulumirpc.CheckFailure{Property: string(key), Reason: reason})
		}
	}
	return failures
}

// settingsOf reads what checkSettings accepted. A setting that is not given comes from
// the environment variable the official plugin reads.
func settingsOf(config resource.PropertyMap) settings {
	plain, _ := plugin.PlainMap(config)
	text := func(key string) string { s, _ := plain[key].(string); return s }
	flag := func(key, variable string) bool {
		if v, ok := plain[key]; ok {
			on, _ := flagOf(v)
			return on
		}
		return os.Getenv(variable) == "true"
	}
	s := settings{
		kubeconfig: text(kubeconfigKey), context: text("context"), cluster: text("cluster"), namespace: text("namespace"),
		deleteUnreachable:           flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
		mutableSecrets:              flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
		mutableConfigMaps:           flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
		suppressDeprecationWarnings: flag("suppressDeprecationWarnings", "PULUMI_K8S_SUPPRESS_DEPRECATION_WARNINGS"),
	}
	if v, ok := plain["kubeClientSettings"]; ok {
		s.client, _ = clientSettingsOf(v) // checked
	}
	return s
}

// CheckConfig refuses keys and values the sandbox does not model, and keeps the
// kubeconfig secret: it may hold credentials.
func (p *Provider) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	news, err := plugin.Unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	failures := checkSettings(news)
	if v, ok := news[kubeconfigKey]; ok && !v.IsNull() && !v.ContainsSecrets() {
		news[kubeconfigKey] = resource.MakeSecret(v)
	}
	inputs, err := plugin.Marshal(news)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CheckResponse{Inputs: inputs, Failures: failures}, nil
}

// DiffConfig replaces the provider, and with it every resource of it, when the cluster is
// another one. As in the official plugin, a changed clusterIdentifier says so, and an
// unchanged one says that it is the same cluster, whatever the kubeconfig; without an
// identifier an unknown kubeconfig, or another server in its active context, does.
func (p *Provider) DiffConfig(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	olds, err := plugin.Unmarshal(req.GetOldInputs())
	if err != nil {
		return nil, err
	}
	if len(olds) == 0 {
		if olds, err = plugin.Unmarshal(req.GetOlds()); err != nil {
			return nil, err
		}
	}
	news, err := plugin.Unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	olds, news = plugin.Open(olds), plugin.Open(news)
	before, after := olds[clusterIdentifier], news[clusterIdentifier]
	if olds.HasValue(clusterIdentifier) && news.HasValue(clusterIdentifier) {
		changed := after.IsComputed() || !before.DeepEquals(after)
		return plugin.Diff(olds, news, func(path resource.PropertyPath) bool {
			return changed && path[0] == clusterIdentifier
		}), nil
	}
	another, err := anotherCluster(olds, news)
	if err != nil {
		return nil, err
	}
	return plugin.Diff(olds, news, func(path resource.PropertyPath) bool {
		return another && slices.Contains([]any{kubeconfigKey, "context", "cluster"}, path[0])
	}), nil
}

// anotherCluster compares the servers that two configurations talk to.
func anotherCluster(olds, news resource.PropertyMap) (bool, error) {
	for _, key := range []resource.PropertyKey{kubeconfigKey, "context", "cluster"} {
		if news[key].IsComputed() {
			return true, nil
		}
	}
	before, err := activeCluster(settingsOf(olds))
	if err != nil {
		return false, nil //nolint:nilerr // it cannot say where it pointed to: the new one decides alone
	}
	after, err := activeCluster(settingsOf(news))
	if err != nil {
		return false, err
	}
	return before != nil && after != nil && !sameCluster(before, after), nil
}
