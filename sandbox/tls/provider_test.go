package tls

import (
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

func resourceKey(name string) resource.PropertyKey { return resource.PropertyKey(name) }

// The engine compares the plugin's version with the SDK's.
func TestVersionIsTheSDKs(t *testing.T) {
	module, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	pinned := regexp.MustCompile(`pulumi-tls/sdk/v5 v(\S+)`).FindSubmatch(module)
	require.NotNil(t, pinned)
	require.Equal(t, string(pinned[1]), Version)
}

func TestCheckRefuses(t *testing.T) {
	cert := map[string]any{"privateKeyPem": "k", "validityPeriodHours": 1.0, "allowedUses": []any{}}
	for _, c := range []struct {
		name, token    string
		inputs         map[string]any
		property, want string
	}{
		{"unknown property", privateKey, map[string]any{"algorithm": "RSA", "bits": 1.0}, "bits", `unknown property "bits": expected one of algorithm, ecdsaCurve, rsaBits`},
		{"missing", privateKey, map[string]any{}, "algorithm", `missing required property "algorithm"`},
		{"unknown algorithm", privateKey, map[string]any{"algorithm": "DSA"}, "algorithm", `expected one of RSA, ECDSA, ED25519, got "DSA"`},
		{"unknown curve", privateKey, map[string]any{"algorithm": "ECDSA", "ecdsaCurve": "P1"}, "ecdsaCurve", "expected one of P224, P256, P384, P521"},
		{"a fraction", privateKey, map[string]any{"algorithm": "RSA", "rsaBits": 2048.5}, "rsaBits", "whole number"},
		{"a text for a number", selfSignedCert, with(cert, map[string]any{"validityPeriodHours": "1"}), "validityPeriodHours", "whole number"},
		{"negative", selfSignedCert, with(cert, map[string]any{"earlyRenewalHours": -1.0}), "earlyRenewalHours", "at least 0"},
		{"unknown use", selfSignedCert, with(cert, map[string]any{"allowedUses": []any{"server_auth", "signing"}}), "allowedUses", `[1]: expected one of any_extended, cert_signing`},
		{"no IP", selfSignedCert, with(cert, map[string]any{"ipAddresses": []any{"localhost"}}), "ipAddresses", `expected an IP address, got "localhost"`},
		{"no URI", selfSignedCert, with(cert, map[string]any{"uris": []any{":"}}), "uris", "missing protocol scheme"},
		{"unknown in subject", selfSignedCert, with(cert, map[string]any{"subject": map[string]any{"cn": "x"}}), "subject", `unknown property "cn"`},
		{"no bool", selfSignedCert, with(cert, map[string]any{"isCaCertificate": "yes"}), "isCaCertificate", "true or false"},
		{"not for a signed certificate", locallySignedCert, map[string]any{"certRequestPem": "", "caCertPem": "", "caPrivateKeyPem": "", "validityPeriodHours": 1.0, "allowedUses": []any{}, "dnsNames": []any{}}, "dnsNames", "unknown property"},
	} {
		t.Run(c.name, func(t *testing.T) {
			checked, err := New().Check(t.Context(), &pulumirpc.CheckRequest{Urn: urnOf(c.token), News: properties(t, c.inputs)})
			require.NoError(t, err)
			require.Len(t, checked.GetFailures(), 1)
			require.Equal(t, c.property, checked.GetFailures()[0].GetProperty())
			require.Contains(t, checked.GetFailures()[0].GetReason(), c.want)
		})
	}
}

func TestCheckTakesUnknownsAndMakesKeysSecret(t *testing.T) {
	news, err := plugin.Marshal(resource.PropertyMap{
		"privateKeyPem":       resource.MakeComputed(resource.NewProperty("")),
		"validityPeriodHours": resource.NewProperty(1.0),
		"allowedUses":         resource.NewProperty([]resource.PropertyValue{resource.MakeComputed(resource.NewProperty(""))}),
		"dnsNames":            resource.MakeComputed(resource.NewProperty("")),
	})
	require.NoError(t, err)
	checked, err := New().Check(t.Context(), &pulumirpc.CheckRequest{Urn: urnOf(selfSignedCert), News: news})
	require.NoError(t, err)
	require.Empty(t, checked.GetFailures())
	m, err := plugin.Unmarshal(checked.GetInputs())
	require.NoError(t, err)
	require.True(t, m["privateKeyPem"].IsSecret())
}

func TestDiff(t *testing.T) {
	p := New()
	inputs := with(caInputs, map[string]any{"privateKeyPem": key(t, p, "ED25519")})
	o := create(t, p, selfSignedCert, inputs)
	for _, c := range []struct {
		name    string
		changes map[string]any
		path    string
		replace bool
	}{
		{"nothing", nil, "", false},
		{"a default spelled out", map[string]any{"setSubjectKeyId": false, "earlyRenewalHours": 0.0}, "", false},
		{"early renewal", map[string]any{"earlyRenewalHours": 1.0}, "earlyRenewalHours", false},
		{"another key", map[string]any{"privateKeyPem": key(t, p, "ED25519")}, "privateKeyPem", true},
		{"a name", map[string]any{"dnsNames": []any{"a"}}, "dnsNames", true},
		{"the subject", map[string]any{"subject": map[string]any{"commonName": "other", "organization": "an organization"}}, "subject.commonName", true},
		{"longer", map[string]any{"validityPeriodHours": 49.0}, "validityPeriodHours", true},
		{"no CA", map[string]any{"isCaCertificate": nil}, "isCaCertificate", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := diff(t, p, o, with(inputs, c.changes))
			if c.path == "" {
				require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, d.GetChanges(), "%v", d)
				return
			}
			require.Equal(t, pulumirpc.DiffResponse_DIFF_SOME, d.GetChanges())
			require.Contains(t, d.GetDetailedDiff(), c.path)
			require.Equal(t, c.replace, len(d.GetReplaces()) > 0)
		})
	}
}

// The official plugin keeps notes of its own among the inputs; they are no change.
func TestDiffOfAStateMadeByTheOfficialPlugin(t *testing.T) {
	p := New()
	inputs := with(caInputs, map[string]any{"privateKeyPem": key(t, p, "ED25519")})
	o := create(t, p, selfSignedCert, inputs)
	o.inputs = properties(t, with(inputs, map[string]any{
		"__defaults": []any{},
		"subject":    map[string]any{"commonName": "a CA", "organization": "an organization", "__defaults": []any{}},
	}))
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, diff(t, p, o, inputs).GetChanges())
}

func TestRenewal(t *testing.T) {
	made := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, early := range []float64{0, 6} {
		ca, server := chain(t, at(made), "ED25519", map[string]any{"earlyRenewalHours": early})
		inputs := with(server.plain(t), map[string]any{
			"certPem": nil, "caKeyAlgorithm": nil, readyForRenewal: nil, "validityStartTime": nil, "validityEndTime": nil,
		})
		require.Equal(t, ca.text(t, "certPem"), inputs["caCertPem"])
		due := made.Add(24*time.Hour - time.Duration(early)*time.Hour)
		for _, c := range []struct {
			now  time.Time
			want bool
		}{{made, false}, {due.Add(-time.Second), false}, {due, true}, {due.Add(100 * time.Hour), true}} {
			p := at(c.now)
			d := diff(t, p, server, inputs)
			require.Equal(t, c.want, len(d.GetReplaces()) > 0, "early %v, at %v: %v", early, c.now, d)
			if c.want {
				require.Equal(t, []string{readyForRenewal}, d.GetReplaces())
				require.Equal(t, pulumirpc.DiffResponse_DIFF_SOME, d.GetChanges())
			}
			read, err := p.Read(t.Context(), &pulumirpc.ReadRequest{Id: server.id, Urn: urnOf(locallySignedCert), Properties: server.state, Inputs: server.inputs})
			require.NoError(t, err)
			require.Equal(t, c.want, read.GetProperties().GetFields()[readyForRenewal].GetBoolValue())
		}
	}
}

// Asking for an earlier renewal can itself make a certificate due, and asking for a later
// one can put it off.
func TestRenewalFollowsTheNewHours(t *testing.T) {
	made := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	inputs := with(caInputs, map[string]any{"privateKeyPem": key(t, New(), "ED25519"), "earlyRenewalHours": 10.0})
	o := create(t, at(made), selfSignedCert, inputs)
	p := at(made.Add(40 * time.Hour))
	require.NotEmpty(t, diff(t, p, o, inputs).GetReplaces())
	d := diff(t, p, o, with(inputs, map[string]any{"earlyRenewalHours": 1.0}))
	require.Empty(t, d.GetReplaces())
	require.Equal(t, pulumirpc.DiffResponse_DIFF_SOME, d.GetChanges())
	updated, err := p.Update(t.Context(), &pulumirpc.UpdateRequest{
		Id: o.id, Urn: urnOf(selfSignedCert), Olds: o.state, News: properties(t, with(inputs, map[string]any{"earlyRenewalHours": 1.0})),
	})
	require.NoError(t, err)
	fields := updated.GetProperties().GetFields()
	require.EqualValues(t, 1, fields["earlyRenewalHours"].GetNumberValue())
	require.Equal(t, o.text(t, "certPem"), fields["certPem"].GetStringValue())
}

func TestPreviewKnowsWhatIsGivenAndNothingElse(t *testing.T) {
	news, err := plugin.Marshal(resource.PropertyMap{
		"privateKeyPem":       resource.MakeSecret(resource.MakeComputed(resource.NewProperty(""))),
		"validityPeriodHours": resource.NewProperty(1.0),
		"allowedUses":         resource.NewProperty([]resource.PropertyValue{}),
	})
	require.NoError(t, err)
	created, err := New().Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(selfSignedCert), Properties: news, Preview: true})
	require.NoError(t, err)
	m, err := plugin.Unmarshal(created.GetProperties())
	require.NoError(t, err)
	require.True(t, m["certPem"].IsComputed())
	require.True(t, m["privateKeyPem"].ContainsUnknowns() && m["privateKeyPem"].ContainsSecrets())
	require.EqualValues(t, 1, m["validityPeriodHours"].NumberValue())
	require.EqualValues(t, 0, m[earlyRenewalHours].NumberValue())

	_, err = New().Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(selfSignedCert), Properties: news})
	require.ErrorContains(t, err, "unknown")
}

func TestImportIsRefused(t *testing.T) {
	_, err := New().Read(t.Context(), &pulumirpc.ReadRequest{Id: "x", Urn: urnOf(privateKey)})
	require.ErrorContains(t, err, "cannot be imported")
}
