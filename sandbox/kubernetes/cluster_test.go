package kubernetes

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/status"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/controlplane"
	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// tools returns the folder of the built binaries. Without them these tests can prove
// nothing: in CI that is a failure.
func tools(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("STRONGROOM_TOOLS_BIN")
	if dir == "" {
		dir = filepath.Join("..", "..", ".sandbox", "bin")
	}
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			message := fmt.Sprintf("%s is not built in %s: run `make up`, or set STRONGROOM_TOOLS_BIN", name, dir)
			if os.Getenv("CI") == "true" {
				t.Fatal(message)
			}
			t.Skip(message)
		}
	}
	return dir
}

// adminToken is the token that the cluster of these tests takes.
const adminToken = "administrator"

// startCluster starts a real control plane and returns a kubeconfig for it, whose
// credentials come from a program, as those of EKS do.
func startCluster(t *testing.T, ctx context.Context) string {
	t.Helper()
	webhook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review authenticationv1.TokenReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		review.Status.Authenticated = review.Spec.Token == adminToken
		review.Status.User = authenticationv1.UserInfo{Username: "administrator", Groups: []string{"system:masters"}}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(review); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(webhook.Close)
	planes, err := controlplane.New(controlplane.Options{
		Dir: t.TempDir(), BinDir: tools(t), Logf: t.Logf, Webhook: controlplane.Webhook{URL: webhook.URL + "/webhook", Token: "hook"},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, planes.Close(context.Background())) })
	endpoint, err := planes.Start(ctx, account.Cluster{
		Name: "test", Version: "1.36", Region: "eu-west-1", ARN: "arn:aws:eks:eu-west-1:123456789012:cluster/test",
	})
	require.NoError(t, err)
	return kubeconfigOf(endpoint, adminToken)
}

func kubeconfigOf(endpoint account.Endpoint, token string) string {
	credential := fmt.Sprintf(`{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"%s"}}`, token)
	config := m{
		"apiVersion": "v1", "kind": "Config", "current-context": "c",
		"clusters": l{m{"name": "c", "cluster": m{"server": endpoint.URL, "certificate-authority-data": endpoint.CAData}}},
		"contexts": l{m{"name": "c", "context": m{"cluster": "c", "user": "u"}}},
		"users": l{m{"name": "u", "user": m{"exec": m{
			"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "echo", "args": l{credential}, "interactiveMode": "Never",
		}}}},
	}
	encoded, _ := json.Marshal(config) // of maps and texts
	return string(encoded)
}

var (
	namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	secrets    = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
)

// TestObjectsOfARealCluster proves the provider against a real API server. Each part uses
// a namespace of its own.
func TestObjectsOfARealCluster(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel) // after the parts, which run in parallel
	tools(t)
	New() // before the control plane's clients run: it stops their library from logging
	kubeconfig := startCluster(t, ctx)
	provider := func(t *testing.T, config m) *Provider {
		return configured(t, with(m{"kubeconfig": kubeconfig}, config))
	}
	c, err := connect(ctx, settings{kubeconfig: kubeconfig}, nil)
	require.NoError(t, err)
	cases := clusterCases{ctx: ctx, client: c.objects, provider: provider, kubeconfig: kubeconfig}
	for name, run := range map[string]func(*testing.T, clusterCases){
		"life":            testLife,
		"no change":       testNoChange,
		"drift":           testDrift,
		"secrets":         testSecrets,
		"conflict":        testConflict,
		"killed run":      testKilledRun,
		"replace":         testReplace,
		"definitions":     testDefinitions,
		"finalizers":      testFinalizers,
		"cancel":          testCancel,
		"no nodes":        testNoNodes,
		"waitFor":         testWaitFor,
		"refused":         testRefused,
		"preview":         testPreview,
		"import":          testImport,
		"credentials":     testCredentials,
		"gone underneath": testGone,
		"chart":           testChart,
		"warnings":        testWarnings,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, cases)
		})
	}
}

// clusterCases is what the parts of the test share.
type clusterCases struct {
	ctx        context.Context
	client     dynamic.Interface
	provider   func(t *testing.T, config m) *Provider
	kubeconfig string
}

func (c clusterCases) namespace(t *testing.T, p *Provider, name string) *object {
	t.Helper()
	return create(t, p, namespaceType, name, m{"metadata": m{"name": name}})
}

func (c clusterCases) get(t *testing.T, of schema.GroupVersionResource, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	live, err := c.client.Resource(of).Namespace(namespace).Get(c.ctx, name, metav1.GetOptions{})
	require.NoError(t, err)
	return live
}

// patch changes an object behind the provider's back.
func (c clusterCases) patch(t *testing.T, of schema.GroupVersionResource, namespace, name, merge string) {
	t.Helper()
	_, err := c.client.Resource(of).Namespace(namespace).Patch(c.ctx, name, types.MergePatchType, []byte(merge), metav1.PatchOptions{FieldManager: "somebody"})
	require.NoError(t, err)
}

func testLife(t *testing.T, c clusterCases) {
	p := c.provider(t, nil)
	namespace := c.namespace(t, p, "life")
	require.Equal(t, "life", namespace.id)
	require.Equal(t, "Active", at(plain(t, namespace.state), "status", "phase"))

	inputs := m{"metadata": m{"namespace": "life", "labels": m{"kept": "yes", "dropped": "yes"}}, "data": m{"a": "1"}}
	o := create(t, p, configMapType, "settings", inputs)
	require.Regexp(t, "^life/settings-[0-9a-f]{8}$", o.id)
	_, name := parseID(o.id)
	require.Equal(t, m{"a": "1"}, c.get(t, configMaps, "life", name).Object["data"])
	require.Equal(t, "v1", plain(t, o.state)[initialAPIVersionKey])

	changed := with(inputs, m{"metadata": m{"namespace": "life", "labels": m{"kept": "yes"}}})
	d := diff(t, p, o, changed)
	require.Equal(t, pulumirpc.DiffResponse_DIFF_SOME, d.GetChanges())
	require.Empty(t, d.GetReplaces())
	o, err := update(t, p, o, changed)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"kept": "yes"}, c.get(t, configMaps, "life", name).GetLabels())

	require.NoError(t, remove(c.ctx, p, o))
	_, err = c.client.Resource(configMaps).Namespace("life").Get(c.ctx, name, metav1.GetOptions{})
	require.True(t, apierrors.IsNotFound(err))
	require.NoError(t, remove(c.ctx, p, o), "deleting what is gone is not an error")
	require.NoError(t, remove(c.ctx, p, namespace))
	_, err = c.client.Resource(namespaces).Get(c.ctx, "life", metav1.GetOptions{})
	require.True(t, apierrors.IsNotFound(err))
}

func testNoChange(t *testing.T, c clusterCases) {
	p := c.provider(t, nil)
	c.namespace(t, p, "no-change")
	container := m{"name": "c", "image": "i:1", "resources": m{"requests": m{"cpu": "1000m", "memory": "1024Mi"}}}
	inputs := func(cpu string) m {
		return m{"metadata": m{"name": "d", "namespace": "no-change"}, "spec": m{
			"replicas": 1, "selector": m{"matchLabels": m{"app": "a"}},
			"template": m{"metadata": m{"labels": m{"app": "a"}}, "spec": m{"containers": l{
				with(container, m{"resources": m{"requests": m{"cpu": cpu, "memory": "1Gi"}}})}}},
		}}
	}
	o := create(t, p, deploymentType, "d", inputs("1000m"))
	require.Empty(t, diff(t, p, o, inputs("1000m")).GetDiffs())
	o = refresh(t, p, o)
	require.Empty(t, diff(t, p, o, inputs("1000m")).GetDiffs(), "after a refresh")
	require.Empty(t, diff(t, p, o, inputs("1")).GetDiffs(), "the same quantity in other words")
	require.Equal(t, []string{"spec"}, diff(t, p, o, inputs("2")).GetDiffs())
}

func testDrift(t *testing.T, c clusterCases) {
	p := c.provider(t, m{"enableConfigMapMutable": "true"})
	c.namespace(t, p, "drift")
	inputs := m{"metadata": m{"name": "d", "namespace": "drift"}, "data": m{"a": "1"}}
	o := create(t, p, configMapType, "d", inputs)
	c.patch(t, configMaps, "drift", "d", `{"data":{"added":"by somebody"}}`)
	o = refresh(t, p, o)
	require.Equal(t, m{"a": "1"}, plain(t, o.inputs)["data"], "what the program does not say is not its own")
	require.Empty(t, diff(t, p, o, inputs).GetDiffs())

	c.patch(t, configMaps, "drift", "d", `{"data":{"a":"changed"}}`)
	o = refresh(t, p, o)
	require.Equal(t, m{"a": "changed"}, plain(t, o.inputs)["data"])
	require.Equal(t, []string{"data"}, diff(t, p, o, inputs).GetDiffs())
	_, err := update(t, p, o, inputs)
	require.ErrorContains(t, err, `others manage fields that this would change: .data.a (conflict with "somebody"`)
	forced := with(inputs, m{"metadata": m{"name": "d", "namespace": "drift", "annotations": m{annotationPatchForce: "true"}}})
	o, err = update(t, p, o, forced)
	require.NoError(t, err)
	require.Equal(t, "1", at(c.get(t, configMaps, "drift", "d").Object, "data", "a"))

	require.NoError(t, c.client.Resource(configMaps).Namespace("drift").Delete(c.ctx, "d", metav1.DeleteOptions{}))
	require.Nil(t, refresh(t, p, o))
}

func testSecrets(t *testing.T, c clusterCases) {
	p := c.provider(t, m{"enableSecretMutable": "true"})
	c.namespace(t, p, "secrets")
	inputs := m{"metadata": m{"name": "s", "namespace": "secrets"}, "type": "Opaque", "stringData": m{"a": "one", "b": "two"}}
	o := create(t, p, secretType, "s", inputs)
	state := unmarshal(t, o.state)
	require.True(t, state["data"].IsSecret())
	require.True(t, state[inputsKey].ObjectValue()["stringData"].IsSecret())
	require.Empty(t, diff(t, p, o, inputs).GetDiffs())

	fewer := with(inputs, m{"stringData": m{"a": "three"}})
	require.Equal(t, []string{"stringData"}, diff(t, p, o, fewer).GetDiffs())
	o, err := update(t, p, o, fewer)
	require.NoError(t, err)
	require.Equal(t, m{"a": base64.StdEncoding.EncodeToString([]byte("three"))}, c.get(t, secrets, "secrets", "s").Object["data"])

	c.patch(t, secrets, "secrets", "s", `{"stringData":{"a":"four"}}`)
	o = refresh(t, p, o)
	read := unmarshal(t, o.inputs)["stringData"]
	require.True(t, read.IsSecret())
	require.Equal(t, "four", read.SecretValue().Element.ObjectValue()["a"].StringValue())
	require.Equal(t, []string{"stringData"}, diff(t, p, o, fewer).GetDiffs())

	account := create(t, p, "kubernetes:core/v1:ServiceAccount", "a", m{"metadata": m{"name": "a", "namespace": "secrets"}})
	require.Equal(t, "secrets/a", account.id)
	token := create(t, p, secretType, "t", m{"type": "kubernetes.io/service-account-token", "metadata": m{
		"name": "t", "namespace": "secrets", "annotations": m{"kubernetes.io/service-account.name": "a"}}})
	require.NotEmpty(t, at(plain(t, token.state), "data", "token"), "waited for the token")
	require.Empty(t, diff(t, p, token, m{"type": "kubernetes.io/service-account-token", "metadata": m{
		"name": "t", "namespace": "secrets", "annotations": m{"kubernetes.io/service-account.name": "a"}}}).GetDiffs())
}

func testConflict(t *testing.T, c clusterCases) {
	p := c.provider(t, nil)
	c.namespace(t, p, "conflict")
	existing := &unstructured.Unstructured{Object: m{"apiVersion": "v1", "kind": "ConfigMap", "metadata": m{"name": "taken"}, "data": m{"a": "theirs"}}}
	_, err := c.client.Resource(configMaps).Namespace("conflict").Create(c.ctx, existing, metav1.CreateOptions{FieldManager: "flux"})
	require.NoError(t, err)
	_, err = tryCreate(t, p, configMapType, "taken", m{"metadata": m{"name": "taken", "namespace": "conflict"}, "data": m{"a": "ours"}})
	require.ErrorContains(t, err, `kubernetes:core/v1:ConfigMap taken: ConfigMap "conflict/taken" already exists`)
	require.ErrorContains(t, err, `conflict with "flux"`)
	require.Equal(t, "theirs", at(c.get(t, configMaps, "conflict", "taken").Object, "data", "a"))

	// As in the official plugin at this version, an object that says the same is taken over.
	_, err = tryCreate(t, p, configMapType, "taken", m{"metadata": m{"name": "taken", "namespace": "conflict"}, "data": m{"a": "theirs"}})
	require.NoError(t, err)
}

// A run that was killed after the creation, before the state was written, is followed by
// one that creates again, perhaps with other values.
func testKilledRun(t *testing.T, c clusterCases) {
	p := c.provider(t, nil)
	c.namespace(t, p, "killed")
	inputs := m{"metadata": m{"name": "x", "namespace": "killed"}, "data": m{"a": "1"}}
	create(t, p, configMapType, "x", inputs)
	create(t, c.provider(t, nil), configMapType, "x", with(inputs, m{"data": m{"a": "2"}}))
	require.Equal(t, m{"a": "2"}, c.get(t, configMaps, "killed", "x").Object["data"])
}

func testReplace(t *testing.T, c clusterCases) {
	p := c.provider(t, nil)
	c.namespace(t, p, "replace")
	inputs := m{"metadata": m{"name": "r", "namespace": "replace"}, "immutable": true, "data": m{"a": "1"}}
	o := create(t, p, configMapType, "r", inputs)
	changed := with(inputs, m{"data": m{"a": "2"}})
	d := diff(t, p, o, changed)
	require.Equal(t, []string{"data.a"}, d.GetReplaces())
	require.True(t, d.GetDeleteBeforeReplace())
	// The preview of the new one, while the old one stands.
	preview, err := p.Create(c.ctx, &pulumirpc.CreateRequest{Urn: o.urn, Properties: check(t, p, o.urn, nil, changed), Preview: true})
	require.NoError(t, err)
	require.Equal(t, m{"a": "2"}, plain(t, preview.GetProperties())["data"])
	require.NoError(t, remove(c.ctx, p, o))
	create(t, p, configMapType, "r", changed)
	require.Equal(t, m{"a": "2"}, c.get(t, configMaps, "replace", "r").Object["data"])
}

func testDefinitions(t *testing.T, c clusterCases) {
	p := c.provider(t, nil)
	c.namespace(t, p, "definitions")
	widget := m{"metadata": m{"name": "w", "namespace": "definitions"}, "spec": m{"size": 3, "x": l{m{"y": 1.5}}}}
	urn := urnOf(widgetType, "w")
	preview, err := p.Create(c.ctx, &pulumirpc.CreateRequest{Urn: urn, Properties: check(t, p, urn, nil, widget), Preview: true})
	require.NoError(t, err, "a preview before the definition exists")
	require.Equal(t, m{"size": 3.0, "x": l{m{"y": 1.5}}}, plain(t, preview.GetProperties())["spec"])

	// The definition arrives while the object is being created.
	made := make(chan error, 1)
	go func() {
		_, err := p.Create(c.ctx, &pulumirpc.CreateRequest{Urn: urn, Properties: check(t, p, urn, nil, widget)})
		made <- err
	}()
	crd := create(t, p, definitionType, "widgets", definition("Widget", "Namespaced"))
	conditions, _, err := unstructured.NestedSlice(plain(t, crd.state), "status", "conditions")
	require.NoError(t, err)
	require.NotEmpty(t, conditions, "waited until it was established")
	require.Empty(t, diff(t, p, crd, definition("Widget", "Namespaced")).GetDiffs())
	require.NoError(t, <-made)
	o := create(t, p, widgetType, "w", widget)
	require.Empty(t, diff(t, p, o, widget).GetDiffs())

	// A kind outside namespaces, first checked when nobody knew that.
	gadget := m{"metadata": m{"name": "g"}}
	before := &object{urn: urnOf(gadgetType, "g"), inputs: check(t, p, urnOf(gadgetType, "g"), nil, gadget)}
	require.Equal(t, "default", at(plain(t, before.inputs), "metadata", "namespace"))
	definition := create(t, p, definitionType, "gadgets", definition("Gadget", "Cluster"))
	created, err := p.Create(c.ctx, &pulumirpc.CreateRequest{Urn: before.urn, Properties: before.inputs})
	require.NoError(t, err)
	require.Equal(t, "g", created.GetId())
	before.id, before.state = created.GetId(), created.GetProperties()
	require.Empty(t, diff(t, p, before, gadget).GetDiffs())
	require.NotNil(t, refresh(t, p, before))

	require.NoError(t, remove(c.ctx, p, definition))
	require.Nil(t, refresh(t, p, before), "gone with its definition")
	require.NoError(t, remove(c.ctx, p, before))
	_, err = tryCreate(t, p, "kubernetes:example.com/v2:Nothing", "n", m{"metadata": m{"name": "n", "namespace": "definitions"}})
	require.ErrorContains(t, err, "its CustomResourceDefinition must be made before")
}

func testFinalizers(t *testing.T, c clusterCases) {
	p := c.provider(t, nil)
	c.namespace(t, p, "finalizers")
	o := create(t, p, configMapType, "held", m{"metadata": m{"name": "held", "namespace": "finalizers",
		"finalizers": l{"example.com/hold"}, "annotations": m{annotationTimeout: "1"}}})
	err := remove(c.ctx, p, o)
	require.ErrorContains(t, err, `ConfigMap "finalizers/held" is marked for deletion, but still there after 1s: held by finalizer example.com/hold`)

	namespace := c.namespace(t, p, "holds")
	create(t, p, configMapType, "inside", m{"metadata": m{"name": "inside", "namespace": "holds", "finalizers": l{"example.com/hold"}}})
	_, err = p.Delete(c.ctx, &pulumirpc.DeleteRequest{Id: namespace.id, Urn: namespace.urn, Properties: namespace.state, Timeout: 10})
	require.ErrorContains(t, err, "example.com/hold in 1 resource instances")

	for _, in := range []string{"finalizers/held", "holds/inside"} {
		space, name := parseID(in)
		c.patch(t, configMaps, space, name, `{"metadata":{"finalizers":null}}`)
	}
	require.NoError(t, remove(c.ctx, p, o))
	require.NoError(t, remove(c.ctx, p, namespace))
}

func testCancel(t *testing.T, c clusterCases) {
	p := c.provider(t, nil)
	c.namespace(t, p, "cancel")
	o := create(t, p, configMapType, "held", m{"metadata": m{"name": "held", "namespace": "cancel", "finalizers": l{"example.com/hold"}}})
	done := make(chan error, 1)
	go func() { done <- remove(c.ctx, p, o) }()
	require.Eventually(t, func() bool {
		return c.get(t, configMaps, "cancel", "held").GetDeletionTimestamp() != nil
	}, time.Minute, 20*time.Millisecond)
	_, err := p.Cancel(c.ctx, nil)
	require.NoError(t, err)
	require.ErrorContains(t, <-done, "the operation was cancelled")
	c.patch(t, configMaps, "cancel", "held", `{"metadata":{"finalizers":null}}`)
}

func testNoNodes(t *testing.T, c clusterCases) {
	p := c.provider(t, nil)
	e := listen(t, p)
	c.namespace(t, p, "no-nodes")
	template := m{"metadata": m{"labels": m{"app": "a"}}, "spec": m{"containers": l{m{"name": "c", "image": "i:1"}}}}
	create(t, p, deploymentType, "d", m{"metadata": m{"name": "d", "namespace": "no-nodes"}, "spec": m{"selector": m{"matchLabels": m{"app": "a"}}, "template": template}})
	create(t, p, serviceType, "s", m{"metadata": m{"name": "s", "namespace": "no-nodes"}, "spec": m{"type": "LoadBalancer", "ports": l{m{"port": 80}}}})
	create(t, p, "kubernetes:batch/v1:Job", "j", m{"metadata": m{"name": "j", "namespace": "no-nodes", "annotations": m{annotationSkipAwait: "true"}},
		"spec": m{"template": m{"spec": with(template["spec"].(m), m{"restartPolicy": "Never"})}}})
	require.Contains(t, e.heard(), `WARNING simulated cluster has no nodes: not waiting for Deployment "no-nodes/d" to run`)
	require.Contains(t, e.heard(), `WARNING simulated cluster has no nodes: not waiting for Service "no-nodes/s" to get a load balancer`)
	require.NotContains(t, e.heard(), "no-nodes/j")
}

func testWaitFor(t *testing.T, c clusterCases) {
	p := c.provider(t, nil)
	c.namespace(t, p, "wait-for")
	inputs := m{"metadata": m{"name": "w", "namespace": "wait-for", "annotations": m{annotationWaitFor: "jsonpath={.data.ready}=yes"}}, "data": m{"a": "1"}}
	done := make(chan error, 1)
	go func() { _, err := tryCreate(t, p, configMapType, "w", inputs); done <- err }()
	require.Eventually(t, func() bool {
		_, err := c.client.Resource(configMaps).Namespace("wait-for").Get(c.ctx, "w", metav1.GetOptions{})
		return err == nil
	}, time.Minute, 20*time.Millisecond)
	c.patch(t, configMaps, "wait-for", "w", `{"data":{"ready":"yes"}}`)
	require.NoError(t, <-done)

	never := m{"metadata": m{"name": "never", "namespace": "wait-for", "annotations": m{annotationWaitFor: "condition=Ready", annotationTimeout: "1"}}}
	_, err := tryCreate(t, p, configMapType, "never", never)
	require.ErrorContains(t, err, `ConfigMap "wait-for/never" was made but is not ready after 1s: no condition Ready yet`)
	var kept *pulumirpc.ErrorResourceInitFailed
	for _, detail := range status.Convert(err).Details() {
		if found, ok := detail.(*pulumirpc.ErrorResourceInitFailed); ok {
			kept = found
		}
	}
	require.NotNil(t, kept, "the engine keeps what was made")
	require.Equal(t, "wait-for/never", kept.GetId())
	require.NotEmpty(t, at(plain(t, kept.GetProperties()), "metadata", "uid"))
}

func testRefused(t *testing.T, c clusterCases) {
	p := c.provider(t, nil)
	c.namespace(t, p, "refused")
	_, err := tryCreate(t, p, serviceType, "s", m{"metadata": m{"name": "s", "namespace": "refused"}, "spec": m{"ports": l{m{"port": 70000}}}})
	require.ErrorContains(t, err, "must be between 1 and 65535")
	_, err = tryCreate(t, p, serviceType, "s", m{"metadata": m{"name": "s", "namespace": "refused"}, "spec": m{"porst": l{}}})
	require.ErrorContains(t, err, "porst")
	_, err = tryCreate(t, p, configMapType, "c", m{"metadata": m{"name": "Not_A_Name", "namespace": "refused"}})
	require.ErrorContains(t, err, "Not_A_Name")
}

func testPreview(t *testing.T, c clusterCases) {
	p := c.provider(t, nil)
	urn := urnOf(configMapType, "p")
	preview := func(inputs m) (resource.PropertyMap, error) {
		created, err := p.Create(c.ctx, &pulumirpc.CreateRequest{Urn: urn, Properties: check(t, p, urn, nil, inputs), Preview: true})
		if err != nil {
			return nil, err
		}
		require.Empty(t, created.GetId())
		return unmarshal(t, created.GetProperties()), nil
	}
	t.Run("in a namespace that does not exist yet", func(t *testing.T) {
		shown, err := preview(m{"metadata": m{"name": "p", "namespace": "not-yet"}})
		require.NoError(t, err)
		require.NotContains(t, shown["metadata"].ObjectValue(), resource.PropertyKey("uid"))
	})
	t.Run("what the server decides is unknown", func(t *testing.T) {
		shown, err := preview(m{"metadata": m{"name": "p", "namespace": "default"}})
		require.NoError(t, err)
		for _, key := range []resource.PropertyKey{"uid", "creationTimestamp", "resourceVersion"} {
			require.True(t, shown["metadata"].ObjectValue()[key].IsComputed(), key)
		}
		_, err = c.client.Resource(configMaps).Namespace("default").Get(c.ctx, "p", metav1.GetOptions{})
		require.True(t, apierrors.IsNotFound(err), "a preview makes nothing")
	})
	t.Run("what the server refuses", func(t *testing.T) {
		_, err := preview(m{"metadata": m{"name": "Not_A_Name", "namespace": "default"}})
		require.ErrorContains(t, err, "Not_A_Name")
	})
	t.Run("unknown inputs", func(t *testing.T) {
		inputs, err := plugin.Marshal(resource.PropertyMap{"data": unknown, "metadata": resource.NewProperty(texts("name", "p"))})
		require.NoError(t, err)
		created, err := p.Create(c.ctx, &pulumirpc.CreateRequest{Urn: urn, Properties: inputs, Preview: true})
		require.NoError(t, err)
		require.True(t, unmarshal(t, created.GetProperties())["data"].IsComputed())
	})
	t.Run("of an update", func(t *testing.T) {
		o := create(t, p, configMapType, "u", m{"metadata": m{"name": "u", "namespace": "default"}})
		news := check(t, p, o.urn, o.inputs, m{"metadata": m{"name": "u", "namespace": "default", "labels": m{"a": "b"}}})
		updated, err := p.Update(c.ctx, &pulumirpc.UpdateRequest{Id: o.id, Urn: o.urn, Olds: o.state, OldInputs: o.inputs, News: news, Preview: true})
		require.NoError(t, err)
		metadata := unmarshal(t, updated.GetProperties())["metadata"].ObjectValue()
		require.True(t, metadata["resourceVersion"].IsComputed())
		require.Equal(t, at(plain(t, o.state), "metadata", "uid"), metadata["uid"].StringValue())
		require.Empty(t, c.get(t, configMaps, "default", "u").GetLabels())
	})
}

func testImport(t *testing.T, c clusterCases) {
	p := c.provider(t, nil)
	read, err := p.Read(c.ctx, &pulumirpc.ReadRequest{Id: "kube-system", Urn: urnOf(namespaceType, "system")})
	require.NoError(t, err)
	inputs := plain(t, read.GetInputs())
	require.Equal(t, "kube-system", at(inputs, "metadata", "name"))
	require.NotContains(t, inputs, "status")
	require.NotContains(t, inputs["metadata"], "uid")
	_, err = p.Read(c.ctx, &pulumirpc.ReadRequest{Id: "n/", Urn: urnOf(configMapType, "x")})
	require.ErrorContains(t, err, `id "n/": expected "namespace/name"`)
}

func testCredentials(t *testing.T, c clusterCases) {
	config, err := loadKubeconfig(c.kubeconfig)
	require.NoError(t, err)
	active := config.Clusters["c"]
	endpoint := account.Endpoint{URL: active.Server, CAData: base64.StdEncoding.EncodeToString(active.CertificateAuthorityData)}
	p := configured(t, m{"kubeconfig": kubeconfigOf(endpoint, "unknown"), "deleteUnreachable": true})
	_, err = tryCreate(t, p, namespaceType, "x", m{"metadata": m{"name": "x"}})
	require.ErrorContains(t, err, "the cluster refused the kubeconfig's credentials")
	// A cluster that refuses is not one that is gone.
	_, err = p.Read(c.ctx, &pulumirpc.ReadRequest{Id: "kube-system", Urn: urnOf(namespaceType, "system")})
	require.ErrorContains(t, err, "the cluster refused the kubeconfig's credentials")
}

func testGone(t *testing.T, c clusterCases) {
	p := c.provider(t, nil)
	inputs := m{"metadata": m{"name": "gone", "namespace": "default"}}
	o := create(t, p, configMapType, "gone", inputs)
	require.NoError(t, c.client.Resource(configMaps).Namespace("default").Delete(c.ctx, "gone", metav1.DeleteOptions{}))
	_, err := update(t, p, o, with(inputs, m{"data": m{"a": "1"}}))
	require.ErrorContains(t, err, "not in the cluster any more: run a refresh")
	require.Nil(t, refresh(t, p, o))
}

func testWarnings(t *testing.T, c clusterCases) {
	slice := m{"metadata": m{"name": "w", "namespace": "default"}, "subsets": l{}}
	p := c.provider(t, nil)
	e := listen(t, p)
	urn := urnOf("kubernetes:core/v1:Endpoints", "w")
	_, err := p.Create(c.ctx, &pulumirpc.CreateRequest{Urn: urn, Properties: check(t, p, urn, nil, slice), Preview: true})
	require.NoError(t, err)
	create(t, p, "kubernetes:core/v1:Endpoints", "w", slice)
	require.Equal(t, 1, strings.Count(e.heard(), "WARNING the API server warns: v1 Endpoints is deprecated"))

	quiet := c.provider(t, m{"suppressDeprecationWarnings": "true"})
	e = listen(t, quiet)
	create(t, quiet, "kubernetes:core/v1:Endpoints", "w", slice)
	require.NotContains(t, e.heard(), "deprecated")
}
