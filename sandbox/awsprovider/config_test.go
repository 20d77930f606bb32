package awsprovider

import (
	"path/filepath"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/strongroom-platform/strongroom/sandbox/accountapi"
)

func TestCheckConfig(t *testing.T) {
	for name, c := range map[string]struct {
		settings       m
		property, want string
	}{
		"a region":               {m{"region": "eu-central-1"}, "", ""},
		"what the SDKs add":      {m{"region": "eu-central-1", "skipCredentialsValidation": "false", "skipMetadataApiCheck": "true", "skipRegionValidation": true, "version": "6.83.2", "__internal": m{}}, "", ""},
		"a region not known yet": {m{"region": unknown()}, "", ""},
		"this account":           {m{"region": "eu-central-1", "allowedAccountIds": `["123456789012"]`}, "", ""},
		"retries":                {m{"region": "eu-central-1", "maxRetries": "3"}, "", ""},
		"no credentials":         {m{"region": "eu-central-1", "accessKey": "", "defaultTags": "{}"}, "", ""},

		"no region":         {m{}, "region", "is required"},
		"no such region":    {m{"region": "eu-central-9"}, "region", `"eu-central-9" is not a region`},
		"credentials":       {m{"region": "eu-central-1", "secretKey": secret("hidden")}, "secretKey", "leave it out"},
		"a role":            {m{"region": "eu-central-1", "assumeRole": `{"roleArn":"x"}`}, "assumeRole", "leave it out"},
		"default tags":      {m{"region": "eu-central-1", "defaultTags": m{"tags": m{"a": "b"}}}, "defaultTags", "give each resource its tags"},
		"another account":   {m{"region": "eu-central-1", "allowedAccountIds": []any{"210987654321"}}, "allowedAccountIds", "123456789012"},
		"forbidden account": {m{"region": "eu-central-1", "forbiddenAccountIds": []any{"123456789012"}}, "forbiddenAccountIds", "123456789012"},
		"a typing error":    {m{"region": "eu-central-1", "regoin": "x"}, "regoin", "does not know this setting"},
		"not a switch":      {m{"region": "eu-central-1", "skipRegionValidation": "maybe"}, "skipRegionValidation", "true or false"},
		"negative retries":  {m{"region": "eu-central-1", "maxRetries": "-1"}, "maxRetries", "whole number"},
	} {
		t.Run(name, func(t *testing.T) {
			checked, err := New(nil).CheckConfig(t.Context(), &pulumirpc.CheckRequest{News: properties(t, c.settings)})
			require.NoError(t, err)
			if c.property == "" {
				require.Empty(t, checked.GetFailures())
				return
			}
			require.Len(t, checked.GetFailures(), 1)
			require.Equal(t, c.property, checked.GetFailures()[0].GetProperty())
			require.Contains(t, checked.GetFailures()[0].GetReason(), c.want)
			require.NotContains(t, checked.GetFailures()[0].GetReason(), "hidden")
		})
	}
}

func TestAnotherRegionReplacesTheProvider(t *testing.T) {
	for name, c := range map[string]struct {
		old, new m
		replaces []string
	}{
		"same":      {m{"region": "eu-west-1"}, m{"region": "eu-west-1"}, nil},
		"another":   {m{"region": "eu-west-1"}, m{"region": "eu-west-2"}, []string{"region"}},
		"first one": {m{}, m{"region": "eu-west-2"}, nil},
		"a switch":  {m{"region": "eu-west-1"}, m{"region": "eu-west-1", "skipRegionValidation": true}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := New(nil).DiffConfig(t.Context(), &pulumirpc.DiffRequest{OldInputs: properties(t, c.old), News: properties(t, c.new)})
			require.NoError(t, err)
			require.Equal(t, c.replaces, d.GetReplaces())
		})
	}
}

func TestConfigure(t *testing.T) {
	w := newWorld(t, nil)
	p := New(func() (*accountapi.Client, error) { return w.client, nil })
	_, err := p.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: properties(t, m{"region": "mars-1"})})
	require.ErrorContains(t, err, "aws:region")
	configured, err := p.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: properties(t, m{"region": "eu-west-1", "maxRetries": "3"})})
	require.NoError(t, err)
	require.True(t, configured.GetSupportsPreview())
	require.Equal(t, "eu-west-1", p.region)
	require.Equal(t, 3, p.maxRetries)
	info, err := p.GetPluginInfo(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
	require.Equal(t, "6.83.2", info.GetVersion())
}

func TestConfigureSaysThatTheSandboxIsDown(t *testing.T) {
	p := New(func() (*accountapi.Client, error) {
		return accountapi.Open(filepath.Join(t.TempDir(), accountapi.ConnectionFile))
	})
	_, err := p.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: properties(t, m{"region": "eu-west-1"})})
	require.ErrorContains(t, err, "the sandbox is down: run `strongroom sandbox up`")
	require.ErrorIs(t, err, accountapi.ErrDown)

	_, err = p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(vpc), Properties: properties(t, m{"cidrBlock": "10.0.0.0/16"})})
	require.ErrorContains(t, err, "is not configured")
}
