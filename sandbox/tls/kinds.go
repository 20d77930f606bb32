package tls

import (
	"fmt"
	"math"
	"net"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

const (
	earlyRenewalHours = "earlyRenewalHours"
	readyForRenewal   = "readyForRenewal"
)

// input describes one input property of a resource type.
type input struct {
	required bool
	secret   bool
	// fallback is the value of an input that is not given; nil for none.
	fallback any
	// valid returns why a known value is refused, or "".
	valid func(v any) string
}

// kind is a resource type.
type kind struct {
	inputs map[string]input
	// computed are the outputs that are not inputs.
	computed []string
	// secrets are the outputs that are always secret.
	secrets []string
	// expires is set for certificates.
	expires bool
	// create returns the id and the computed outputs.
	create func(inputs map[string]any, now time.Time) (id string, outputs map[string]any, err error)
}

var kinds = map[string]*kind{
	"tls:index/privateKey:PrivateKey": {
		inputs: map[string]input{
			"algorithm":  {required: true, valid: oneOf("RSA", "ECDSA", "ED25519")},
			"rsaBits":    {fallback: 2048.0, valid: atLeast(512)},
			"ecdsaCurve": {fallback: "P224", valid: oneOf("P224", "P256", "P384", "P521")},
		},
		computed: []string{"privateKeyPem", "privateKeyOpenssh", "privateKeyPemPkcs8", "publicKeyPem",
			"publicKeyOpenssh", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256"},
		secrets: []string{"privateKeyPem", "privateKeyOpenssh", "privateKeyPemPkcs8"},
		create:  createPrivateKey,
	},
	"tls:index/certRequest:CertRequest": {
		inputs:   withSubject(map[string]input{"privateKeyPem": {required: true, secret: true, valid: isString}}),
		computed: []string{"certRequestPem", "keyAlgorithm"},
		secrets:  []string{"privateKeyPem"},
		create:   createCertRequest,
	},
	"tls:index/selfSignedCert:SelfSignedCert": {
		inputs: withSubject(withValidity(map[string]input{
			"privateKeyPem":     {required: true, secret: true, valid: isString},
			"setAuthorityKeyId": {fallback: false, valid: isBool},
		})),
		computed: []string{"certPem", "keyAlgorithm", readyForRenewal, "validityStartTime", "validityEndTime"},
		secrets:  []string{"privateKeyPem"},
		expires:  true,
		create:   createSelfSignedCert,
	},
	"tls:index/locallySignedCert:LocallySignedCert": {
		inputs: withValidity(map[string]input{
			"certRequestPem":  {required: true, valid: isString},
			"caCertPem":       {required: true, valid: isString},
			"caPrivateKeyPem": {required: true, secret: true, valid: isString},
		}),
		computed: []string{"certPem", "caKeyAlgorithm", readyForRenewal, "validityStartTime", "validityEndTime"},
		secrets:  []string{"caPrivateKeyPem"},
		expires:  true,
		create:   createLocallySignedCert,
	},
}

// withSubject adds the inputs of what a certificate is for.
func withSubject(inputs map[string]input) map[string]input {
	inputs["subject"] = input{valid: isSubject}
	inputs["dnsNames"] = input{valid: listOf(isString)}
	inputs["ipAddresses"] = input{valid: listOf(isIP)}
	inputs["uris"] = input{valid: listOf(isURI)}
	return inputs
}

// withValidity adds the inputs that every certificate has.
func withValidity(inputs map[string]input) map[string]input {
	inputs["allowedUses"] = input{required: true, valid: listOf(oneOf(allowedUses()...))}
	inputs["validityPeriodHours"] = input{required: true, valid: atLeast(0)}
	inputs[earlyRenewalHours] = input{fallback: 0.0, valid: atLeast(0)}
	inputs["isCaCertificate"] = input{fallback: false, valid: isBool}
	inputs["setSubjectKeyId"] = input{fallback: false, valid: isBool}
	return inputs
}

// check returns a failure per wrong input. Unknown values are taken on trust until they
// are known.
func (k *kind) check(news resource.PropertyMap) []*pulumirpc.CheckFailure {
	var failures []*pulumirpc.CheckFailure
	fail := func(property, format string, args ...any) {
		failures = append(failures, &pulumirpc.CheckFailure{Property: property, Reason: fmt.Sprintf(format, args...)})
	}
	names := make([]string, 0, len(k.inputs))
	for name := range k.inputs {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, key := range news.StableKeys() {
		if resource.IsInternalPropertyKey(key) {
			continue
		}
		name := string(key)
		input, ok := k.inputs[name]
		if !ok {
			fail(name, "unknown property %q: expected one of %s", name, strings.Join(names, ", "))
			continue
		}
		if news[key].IsNull() {
			continue
		}
		plain, known := plugin.Plain(news[key])
		if !known {
			continue
		}
		if reason := input.valid(plain); reason != "" {
			fail(name, "%s: %s", name, reason)
		}
	}
	for _, name := range names {
		if v, ok := news[resource.PropertyKey(name)]; k.inputs[name].required && (!ok || v.IsNull()) {
			fail(name, "missing required property %q", name)
		}
	}
	return failures
}

// withDefaults returns the inputs without nulls and bookkeeping of the official plugin
// (`__defaults`), with defaults filled in.
func (k *kind) withDefaults(inputs resource.PropertyMap) resource.PropertyMap {
	filled := withoutInternal(inputs)
	for name, input := range k.inputs {
		key := resource.PropertyKey(name)
		if v, ok := filled[key]; ok && !v.IsNull() {
			continue
		}
		delete(filled, key)
		if input.fallback != nil {
			filled[key] = resource.NewPropertyValue(input.fallback)
		}
	}
	return filled
}

func withoutInternal(m resource.PropertyMap) resource.PropertyMap {
	cleaned := resource.PropertyMap{}
	for key, v := range m {
		if resource.IsInternalPropertyKey(key) {
			continue
		}
		if v.IsObject() {
			v = resource.NewProperty(withoutInternal(v.ObjectValue()))
		}
		cleaned[key] = v
	}
	return cleaned
}

func (k *kind) withSecrets(outputs resource.PropertyMap) resource.PropertyMap {
	for _, name := range k.secrets {
		key := resource.PropertyKey(name)
		if v, ok := outputs[key]; ok && !v.IsSecret() {
			outputs[key] = resource.MakeSecret(v)
		}
	}
	return outputs
}

func isString(v any) string {
	if _, ok := v.(string); !ok {
		return "expected a string"
	}
	return ""
}

func isBool(v any) string {
	if _, ok := v.(bool); !ok {
		return "expected true or false"
	}
	return ""
}

func atLeast(minimum float64) func(any) string {
	return func(v any) string {
		n, ok := v.(float64)
		if !ok || n != math.Trunc(n) {
			return fmt.Sprintf("expected a whole number, got %v", v)
		}
		if n < minimum {
			return fmt.Sprintf("expected at least %v, got %v", minimum, n)
		}
		return ""
	}
}

func oneOf(accepted ...string) func(any) string {
	return func(v any) string {
		s, ok := v.(string)
		if !ok || !slices.Contains(accepted, s) {
			return fmt.Sprintf("expected one of %s, got %q", strings.Join(accepted, ", "), fmt.Sprint(v))
		}
		return ""
	}
}

func listOf(valid func(any) string) func(any) string {
	return func(v any) string {
		list, ok := v.([]any)
		if !ok {
			return "expected a list"
		}
		for i, element := range list {
			if reason := valid(element); reason != "" {
				return fmt.Sprintf("[%d]: %s", i, reason)
			}
		}
		return ""
	}
}

func isIP(v any) string {
	s, ok := v.(string)
	if !ok || net.ParseIP(s) == nil {
		return fmt.Sprintf("expected an IP address, got %q", fmt.Sprint(v))
	}
	return ""
}

func isURI(v any) string {
	s, ok := v.(string)
	if !ok || s == "" {
		return fmt.Sprintf("expected a URI, got %q", fmt.Sprint(v))
	}
	if _, err := url.Parse(s); err != nil {
		return err.Error()
	}
	return ""
}

// subjectFields are the distinguished names of a subject; true for those that are lists.
var subjectFields = map[string]bool{
	"commonName": false, "organization": false, "organizationalUnit": false, "streetAddresses": true,
	"locality": false, "province": false, "country": false, "postalCode": false, "serialNumber": false,
}

func isSubject(v any) string {
	subject, ok := v.(map[string]any)
	if !ok {
		return "expected an object"
	}
	for name, field := range subject {
		if resource.IsInternalPropertyKey(resource.PropertyKey(name)) {
			continue
		}
		list, ok := subjectFields[name]
		if !ok {
			return fmt.Sprintf("unknown property %q", name)
		}
		valid := isString
		if list {
			valid = listOf(isString)
		}
		if reason := valid(field); reason != "" {
			return name + ": " + reason
		}
	}
	return ""
}
