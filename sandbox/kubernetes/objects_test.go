package kubernetes

import (
	"encoding/base64"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// offline is a provider whose cluster does not answer; contacting it costs nothing.
func offline(t *testing.T) *Provider {
	t.Helper()
	p := configured(t, m{"kubeconfig": kubeconfigFor(nobody, "t")})
	p.unreached = &unreachableError{reason: errNoKubeconfig}
	return p
}

func TestCheckNames(t *testing.T) {
	p := offline(t)
	urn := urnOf(configMapType, "settings")
	t.Run("made, kept and marked", func(t *testing.T) {
		first := plain(t, check(t, p, urn, nil, m{"data": m{"a": "b"}}))
		require.Regexp(t, "^settings-[0-9a-f]{8}$", at(first, "metadata", "name"))
		require.Equal(t, "true", at(first, "metadata", "annotations", annotationAutonamed))
		require.Equal(t, "from-context", at(first, "metadata", "namespace"))
		require.Equal(t, "v1", first["apiVersion"])
		require.Equal(t, "ConfigMap", first["kind"])
		again := plain(t, check(t, p, urn, properties(t, first), m{"metadata": m{"labels": m{"x": "y"}}}))
		require.Equal(t, at(first, "metadata", "name"), at(again, "metadata", "name"))
		require.Equal(t, "true", at(again, "metadata", "annotations", annotationAutonamed))
	})
	t.Run("the program's own", func(t *testing.T) {
		given := plain(t, check(t, p, urn, nil, m{"metadata": m{"name": "mine", "namespace": "there"}}))
		require.Equal(t, m{"name": "mine", "namespace": "there"}, given["metadata"])
	})
	t.Run("the same seed gives the same name", func(t *testing.T) {
		names := map[any]bool{}
		for range 3 {
			checked, err := p.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn, News: properties(t, m{}), RandomSeed: []byte("seed")})
			require.NoError(t, err)
			names[at(plain(t, checked.GetInputs()), "metadata", "name")] = true
		}
		require.Len(t, names, 1)
	})
	t.Run("the engine's proposal and its ban", func(t *testing.T) {
		options := &pulumirpc.CheckRequest_AutonamingOptions{Mode: pulumirpc.CheckRequest_AutonamingOptions_PROPOSE, ProposedName: "proposed"}
		checked, err := p.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn, News: properties(t, m{}), Autonaming: options})
		require.NoError(t, err)
		require.Equal(t, "proposed", at(plain(t, checked.GetInputs()), "metadata", "name"))
		options.Mode = pulumirpc.CheckRequest_AutonamingOptions_DISABLE
		checked, err = p.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn, News: properties(t, m{}), Autonaming: options})
		require.NoError(t, err)
		require.Equal(t, "metadata.name", checked.GetFailures()[0].GetProperty())
	})
	t.Run("an unknown name and namespace stay unknown", func(t *testing.T) {
		news, err := plugin.Marshal(resource.PropertyMap{"metadata": resource.NewProperty(resource.PropertyMap{"name": unknown, "namespace": unknown})})
		require.NoError(t, err)
		checked, err := p.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn, News: news})
		require.NoError(t, err)
		require.Equal(t, resource.PropertyMap{"name": unknown, "namespace": unknown}, unmarshal(t, checked.GetInputs())["metadata"].ObjectValue())
	})
}

func TestScopes(t *testing.T) {
	p := offline(t)
	for token, want := range map[string]any{
		namespaceType: nil, definitionType: nil, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole": nil,
		"kubernetes:rbac.authorization.k8s.io/v1:Role": "from-context", gadgetType: "from-context",
	} {
		require.Equal(t, want, at(plain(t, check(t, p, urnOf(token, "x"), nil, m{"metadata": m{"name": "x"}})), "metadata", "namespace"), token)
	}
	// A definition that the program declares says what the cluster does not know yet.
	check(t, p, urnOf(definitionType, "gadgets"), nil, definition("Gadget", "Cluster"))
	require.Nil(t, at(plain(t, check(t, p, urnOf(gadgetType, "x"), nil, m{"metadata": m{"name": "x"}})), "metadata", "namespace"))
}

// definition declares a kind of group example.com without a schema for its spec.
func definition(kind, scope string) m {
	plural := map[string]string{"Widget": "widgets", "Gadget": "gadgets"}[kind]
	return m{
		"metadata": m{"name": plural + ".example.com"},
		"spec": m{
			"group": "example.com", "scope": scope,
			"names": m{"kind": kind, "plural": plural},
			"versions": l{m{"name": "v1", "served": true, "storage": true, "schema": m{
				"openAPIV3Schema": m{"type": "object", "x_kubernetes_preserve_unknown_fields": true},
			}}},
		},
	}
}

func TestCheckRefuses(t *testing.T) {
	for _, c := range []struct {
		name, token string
		inputs      m
		want        string
	}{
		{"a patch", "kubernetes:core/v1:NamespacePatch", m{"kind": "Namespace", "metadata": m{"name": "x"}}, "does not patch objects that others own: declare the Namespace itself"},
		{"a list", "kubernetes:core/v1:ConfigMapList", m{"kind": "ConfigMapList", "items": l{}}, "declare its items, each as a ConfigMap"},
		{"another kind", configMapType, m{"kind": "Secret"}, `expected "ConfigMap" as in the type, got "Secret"`},
		{"generateName", configMapType, m{"metadata": m{"generateName": "x-"}}, "does not work with server-side apply"},
		{"an annotation", configMapType, m{"metadata": m{"annotations": m{annotationReplaceUnready: "true"}}}, "is not modelled"},
		{"metadata", configMapType, m{"metadata": "x"}, "expected an object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			checked, err := offline(t).Check(t.Context(), &pulumirpc.CheckRequest{Urn: urnOf(c.token, "x"), News: properties(t, c.inputs)})
			require.NoError(t, err)
			require.Len(t, checked.GetFailures(), 1)
			require.Contains(t, checked.GetFailures()[0].GetReason(), c.want)
		})
	}
	for _, token := range []string{"kubernetes:helm.sh/v3:Release", "kubernetes:yaml/v2:ConfigFile", "kubernetes:yaml:ConfigFile", "aws:s3/bucket:Bucket"} {
		_, err := offline(t).Check(t.Context(), &pulumirpc.CheckRequest{Urn: urnOf(token, "x")})
		require.ErrorContains(t, err, `has no resource type "`+token+`"`)
	}
	_, err := offline(t).Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "kubernetes:yaml:decode"})
	require.ErrorContains(t, err, "kubernetes:yaml:decode")
}

func TestSecretsStaySecret(t *testing.T) {
	p := offline(t)
	inputs := unmarshal(t, check(t, p, urnOf(secretType, "s"), nil, m{"stringData": m{"password": "hunter2"}}))
	require.True(t, inputs["stringData"].IsSecret())

	live := &unstructured.Unstructured{Object: m{"apiVersion": "v1", "kind": "Secret", "metadata": m{"name": "s", "managedFields": l{}}, "data": m{"password": "aHVudGVyMg=="}}}
	state := stateOf(live, inputs, "v1", "manager")
	require.True(t, state["data"].IsSecret())
	require.True(t, state[inputsKey].ObjectValue()["stringData"].IsSecret())
	require.NotContains(t, state["metadata"].ObjectValue(), resource.PropertyKey("managedFields"))

	// A secret value inside any other object.
	secret := resource.PropertyMap{"kind": resource.NewProperty("Widget"), "spec": resource.NewProperty(resource.PropertyMap{
		"key":  resource.MakeSecret(resource.NewProperty("hunter2")),
		"list": resource.NewProperty([]resource.PropertyValue{resource.MakeSecret(resource.NewProperty("hunter2"))}),
		"open": resource.NewProperty("x")})}
	widget := &unstructured.Unstructured{Object: m{"kind": "Widget", "spec": m{"key": "hunter2", "list": l{"hunter2"}, "open": "x"}}}
	spec := stateOf(widget, secret, "v1", "manager")["spec"].ObjectValue()
	require.True(t, spec["key"].IsSecret())
	require.True(t, spec["list"].IsSecret())
	require.False(t, spec["open"].IsSecret())
}

// Whatever the inputs are, an object made of them unchanged is no difference, and
// converting there and back loses nothing.
func TestObjectsThereAndBack(t *testing.T) {
	values := rapid.Deferred(func() *rapid.Generator[any] { return anyValue(3) })
	rapid.Check(t, func(r *rapid.T) {
		content := rapid.MapOf(rapid.StringMatching("[a-z]{1,5}"), values).Draw(r, "content")
		delete(content, "id")
		inputs := propertiesOf(content)
		obj, known, err := objectOf(inputs)
		if err != nil || !known {
			r.Fatalf("known %v, error %v", known, err)
		}
		if back := propertiesOf(obj.Object); !back.DeepEquals(inputs) {
			r.Fatalf("%v became %v", inputs, back)
		}
		if current := propertiesOf(pruned(obj.Object, inputs)); !current.DeepEquals(inputs) {
			r.Fatalf("%v was pruned to %v", inputs, current)
		}
	})
}

func anyValue(depth int) *rapid.Generator[any] {
	leaf := rapid.OneOf(rapid.Bool().AsAny(), rapid.String().AsAny(),
		rapid.Map(rapid.Int32(), func(i int32) any { return float64(i) }))
	if depth == 0 {
		return leaf
	}
	return rapid.OneOf(leaf,
		rapid.Map(rapid.SliceOfN(anyValue(depth-1), 0, 3), func(s []any) any { return s }),
		rapid.Map(rapid.MapOfN(rapid.StringMatching("[a-z]{1,5}"), anyValue(depth-1), 0, 3), func(s map[string]any) any { return s }))
}

func TestUnderscoresOfDefinitions(t *testing.T) {
	obj, _, err := objectOf(resource.NewPropertyMapFromMap(definition("Widget", "Namespaced")))
	require.NoError(t, err)
	versions, _, err := unstructured.NestedSlice(obj.Object, "spec", "versions")
	require.NoError(t, err)
	require.Equal(t, true, at(versions[0], "schema", "openAPIV3Schema", "x-kubernetes-preserve-unknown-fields"))
}

func TestDiffOffline(t *testing.T) {
	secret := m{"metadata": m{"name": "s", "namespace": "n"}, "type": "Opaque", "stringData": m{"a": "1"}}
	deployment := m{"metadata": m{"name": "d", "namespace": "n"}, "spec": m{"replicas": 1, "selector": m{"matchLabels": m{"app": "a"}},
		"template": m{"spec": m{"containers": l{m{"name": "c", "image": "i:1"}}}}}}
	for _, c := range []struct {
		name, token string
		olds, news  m
		diffs       []string
		replaces    []string
		firstDelete bool
	}{
		{"nothing", secretType, secret, secret, nil, nil, false},
		{"stringData as data", secretType, secret, with(secret, m{"stringData": nil, "data": m{"a": base64.StdEncoding.EncodeToString([]byte("1"))}}), nil, nil, false},
		{"a secret's data", secretType, secret, with(secret, m{"stringData": m{"a": "2"}}), []string{"stringData"}, []string{"stringData.a"}, true},
		{"a secret's type", secretType, secret, with(secret, m{"type": "kubernetes.io/tls"}), []string{"type"}, []string{"type"}, true},
		{"a secret's labels", secretType, secret, with(secret, m{"metadata": m{"name": "s", "namespace": "n", "labels": m{"x": "y"}}}), []string{"metadata"}, nil, false},
		{"another name", secretType, secret, with(secret, m{"metadata": m{"name": "t", "namespace": "n"}}), []string{"metadata"}, []string{"metadata.name"}, false},
		{"another namespace", secretType, secret, with(secret, m{"metadata": m{"name": "s", "namespace": "o"}}), []string{"metadata"}, []string{"metadata.namespace"}, false},
		{"replicas", deploymentType, deployment, with(deployment, m{"spec": with(deployment["spec"].(m), m{"replicas": 2})}), []string{"spec"}, nil, false},
		{"the selector", deploymentType, deployment, with(deployment, m{"spec": with(deployment["spec"].(m), m{"selector": m{"matchLabels": m{"app": "b"}}})}),
			[]string{"spec"}, []string{"spec.selector.matchLabels.app"}, true},
		{"the image of a pod", "kubernetes:core/v1:Pod", m{"metadata": m{"name": "p"}, "spec": m{"containers": l{m{"image": "i:1"}}}},
			m{"metadata": m{"name": "p"}, "spec": m{"containers": l{m{"image": "i:2"}}}}, []string{"spec"}, []string{"spec.containers[0].image"}, true},
		{"a role of a binding", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", m{"metadata": m{"name": "b"}, "roleRef": m{"name": "a"}},
			m{"metadata": m{"name": "b"}, "roleRef": m{"name": "b"}}, []string{"roleRef"}, []string{"roleRef.name"}, true},
		{"the default namespace spelled out", configMapType, m{"metadata": m{"name": "c", "namespace": ""}}, m{"metadata": m{"name": "c", "namespace": "default"}}, nil, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := offline(t)
			o := &object{urn: urnOf(c.token, "x"), id: "x", inputs: check(t, p, urnOf(c.token, "x"), nil, c.olds)}
			d := diff(t, p, o, c.news)
			require.ElementsMatch(t, c.diffs, d.GetDiffs())
			require.ElementsMatch(t, c.replaces, d.GetReplaces())
			require.Equal(t, c.firstDelete, d.GetDeleteBeforeReplace())
		})
	}
	t.Run("an automatic name lets the new one come first", func(t *testing.T) {
		p := offline(t)
		o := &object{urn: urnOf(configMapType, "x"), inputs: check(t, p, urnOf(configMapType, "x"), nil, m{"data": m{"a": "1"}})}
		d := diff(t, p, o, m{"data": m{"a": "2"}})
		require.Equal(t, []string{"data.a"}, d.GetReplaces())
		require.False(t, d.GetDeleteBeforeReplace())
	})
	t.Run("data that may change", func(t *testing.T) {
		p := offline(t)
		p.settings.mutableConfigMaps = true
		named := m{"metadata": m{"name": "c"}, "data": m{"a": "1"}}
		o := &object{urn: urnOf(configMapType, "x"), inputs: check(t, p, urnOf(configMapType, "x"), nil, named)}
		require.Empty(t, diff(t, p, o, with(named, m{"data": m{"a": "2"}})).GetReplaces())
		require.NotEmpty(t, diff(t, p, o, with(named, m{"data": m{"a": "2"}, "immutable": true})).GetReplaces())
	})
}

func TestUnreachable(t *testing.T) {
	inputs := m{"metadata": m{"name": "x"}}
	o := &object{urn: urnOf(namespaceType, "x"), id: "x", inputs: properties(t, inputs), state: properties(t, inputs)}
	t.Run("is an error that says what to do", func(t *testing.T) {
		p := offline(t)
		_, err := tryCreate(t, p, namespaceType, "x", inputs)
		require.ErrorContains(t, err, "kubernetes:core/v1:Namespace x: the Kubernetes cluster is unreachable")
		_, err = p.Read(t.Context(), &pulumirpc.ReadRequest{Id: o.id, Urn: o.urn, Properties: o.state, Inputs: o.inputs})
		require.ErrorContains(t, err, "PULUMI_K8S_DELETE_UNREACHABLE=true")
		require.ErrorContains(t, remove(t.Context(), p, o), "PULUMI_K8S_DELETE_UNREACHABLE=true")
	})
	t.Run("a preview shows the inputs", func(t *testing.T) {
		created, err := offline(t).Create(t.Context(), &pulumirpc.CreateRequest{Urn: o.urn, Properties: o.inputs, Preview: true})
		require.NoError(t, err)
		require.Empty(t, created.GetId())
		require.Equal(t, plain(t, o.inputs), plain(t, created.GetProperties()))
	})
	t.Run("deleteUnreachable takes objects out of the state", func(t *testing.T) {
		p := offline(t)
		p.settings.deleteUnreachable = true
		e := listen(t, p)
		require.Nil(t, refresh(t, p, o))
		require.NoError(t, remove(t.Context(), p, o))
		require.Contains(t, e.heard(), "WARNING the Kubernetes cluster is unreachable")
	})
	t.Run("nobody answers", func(t *testing.T) {
		p := configured(t, m{"kubeconfig": kubeconfigFor(nobody, "t")})
		_, err := tryCreate(t, p, namespaceType, "x", inputs)
		require.ErrorContains(t, err, "connection refused")
	})
}

func TestFieldManager(t *testing.T) {
	require.Equal(t, fieldManager("urn", nil, ""), fieldManager("urn", nil, ""))
	require.NotEqual(t, fieldManager("urn", nil, ""), fieldManager("other", nil, ""))
	require.Equal(t, "kept", fieldManager("urn", texts(fieldManagerKey, "kept"), ""))
	require.Equal(t, "mine", fieldManager("urn", texts(fieldManagerKey, "kept"), "mine"))
}

func TestConditions(t *testing.T) {
	obj := func(annotation string) *unstructured.Unstructured {
		o := &unstructured.Unstructured{Object: m{"apiVersion": "example.com/v1", "kind": "Widget"}}
		o.SetAnnotations(map[string]string{annotationWaitFor: annotation})
		return o
	}
	live := &unstructured.Unstructured{Object: m{
		"spec":   m{"n": int64(3)},
		"status": m{"phase": "Up", "conditions": l{m{"type": "Ready", "status": "True"}, m{"type": "Stalled", "status": "False", "message": "fine"}}},
	}}
	for annotation, want := range map[string]bool{
		"condition=Ready": true, "condition=Ready=False": false, "condition=Stalled": false, "condition=Stalled=False": true,
		"condition=Absent": false, "jsonpath={.status.phase}": true, "jsonpath={.status.phase}=Up": true, "jsonpath={.status.phase}=Down": false,
		"jsonpath={.spec.n}=3": true, "jsonpath={.absent}": false, `["condition=Ready","jsonpath={.status.phase}=Up"]`: true,
		`["condition=Ready","jsonpath={.status.phase}=Down"]`: false,
	} {
		ready, err := conditionOf(obj(annotation))
		require.NoError(t, err, annotation)
		is, what, err := ready(live)
		require.NoError(t, err, annotation)
		require.Equal(t, want, is, annotation)
		require.Equal(t, want, what == "" || is, annotation)
	}
	for _, annotation := range []string{"Ready", "[]", "condition=", "jsonpath=.status", "jsonpath={.status}x", "jsonpath={[}"} {
		_, err := conditionOf(obj(annotation))
		require.ErrorContains(t, err, annotationWaitFor, annotation)
	}
}

func TestTimeouts(t *testing.T) {
	obj := &unstructured.Unstructured{Object: m{}}
	require.Equal(t, defaultTimeout, timeout(obj, 0))
	obj.SetAnnotations(map[string]string{annotationTimeout: "5"})
	require.Equal(t, "5s", timeout(obj, 0).String())
	require.Equal(t, "1.5s", timeout(obj, 1.5).String())
}
