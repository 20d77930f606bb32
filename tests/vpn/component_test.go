package vpn

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/pulumi/pulumi-tls/sdk/v5/go/tls"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/clientvpn"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/internal/tags"
	"github.com/strongroom-platform/strongroom/sandbox/plugin"
	tlsprovider "github.com/strongroom-platform/strongroom/sandbox/tls"
	"github.com/strongroom-platform/strongroom/vpnca"
)

// newSite makes the endpoint with the component, and with the sandbox's tls
// provider in the place of the official one: the server gets what ACM and the
// endpoint would get.
func newSite(t *testing.T) *site {
	t.Helper()
	g := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		testTags := tags.Tags{"environment": "test"}
		around, err := pulumitest.NewSurroundings(ctx, testTags)
		if err != nil {
			return err
		}
		provider, err := tls.NewProvider(ctx, "tls", &tls.ProviderArgs{})
		if err != nil {
			return err
		}
		vpn, err := clientvpn.New(ctx, "tooling-vpn", &clientvpn.Args{
			VPCID: around.VPCID, VPCCIDR: vpcNetwork, ClientCIDR: clientNetwork, ServerName: "vpn.tooling.internal",
			Subnets: []clientvpn.Subnet{{Name: "a", ID: around.SubnetIDs[0]}, {Name: "b", ID: around.SubnetIDs[1]}},
			Targets: []clientvpn.Target{{Name: "vault", SecurityGroupID: pulumi.String("sg-vault"), Port: 8200}},
			Tags:    testTags,
		}, pulumi.Providers(around.AWS, provider))
		if err != nil {
			return err
		}
		// What the application stack adds for its own VPC.
		if _, err := clientvpn.NewRoutes(ctx, "application-vpn", &clientvpn.RoutesArgs{
			EndpointID: vpn.EndpointID, ClientCIDR: clientNetwork, Subnets: vpn.Subnets, CIDR: peeredNetwork, Description: "the application's VPC",
		}, pulumi.Providers(around.AWS)); err != nil {
			return err
		}
		ctx.Export("caPrivateKey", vpn.CAPrivateKey)
		ctx.Export("dnsName", vpn.EndpointDNSName)
		return nil
	}, pulumitest.Options{Types: realTLS(t)})

	text := func(value any) string {
		s, ok := value.(string)
		require.True(t, ok, "%v", value)
		return s
	}
	certificate := g.OfType("aws:acm/certificate:Certificate")[0]
	endpoint := g.OfType("aws:ec2clientvpn/endpoint:Endpoint")[0]
	require.Equal(t, true, endpoint.Get("splitTunnel"), "the test's server pushes no default route")
	s := &site{
		t: t, dir: t.TempDir(), id: endpoint.ID, host: text(g.Output("dnsName")), serverName: "vpn.tooling.internal",
		clients: netip.MustParsePrefix(text(endpoint.Get("clientCidrBlock"))), dns: text(endpoint.Get("dnsServers").([]any)[0]),
		port: fmt.Sprint(endpoint.Get("vpnPort")), protocol: text(endpoint.Get("transportProtocol")),
	}
	// AWS pushes the route to the VPC, which comes with the associations, and the
	// others, where a rule lets clients in.
	for _, rule := range g.OfType("aws:ec2clientvpn/authorizationRule:AuthorizationRule") {
		s.routes = append(s.routes, netip.MustParsePrefix(text(rule.Get("targetNetworkCidr"))))
	}
	require.ElementsMatch(t, []netip.Prefix{netip.MustParsePrefix(vpcNetwork), netip.MustParsePrefix(peeredNetwork)}, s.routes)

	ca := text(certificate.Get("certificateChain"))
	s.write("ca.pem", []byte(ca))
	s.write("server.pem", []byte(text(certificate.Get("certificateBody"))))
	s.write("server.key", []byte(text(certificate.Get("privateKey"))))
	s.authority = &vpnca.Authority{By: "the test", ServerName: s.serverName, Store: &vpnca.FileStore{Path: s.file("index.json")}}
	var err error
	s.authority.Certificate, err = vpnca.ParseCertificate([]byte(ca))
	require.NoError(t, err)
	s.authority.Key, err = vpnca.DecodeKey([]byte(text(g.Output("caPrivateKey"))), nil)
	require.NoError(t, err)
	_, err = s.authority.RefreshCRL(t.Context(), vpnca.RefreshWithin)
	require.NoError(t, err)
	_, _, err = s.authority.Publish(t.Context(), s)
	require.NoError(t, err)
	return s
}

// realTLS has the sandbox's tls provider compute the outputs of its types.
func realTLS(t *testing.T) map[string]pulumitest.Type {
	provider := tlsprovider.New()
	types := map[string]pulumitest.Type{}
	for _, typ := range []string{
		"tls:index/privateKey:PrivateKey", "tls:index/selfSignedCert:SelfSignedCert",
		"tls:index/certRequest:CertRequest", "tls:index/locallySignedCert:LocallySignedCert",
	} {
		types[typ] = pulumitest.Type{Outputs: func(a pulumitest.TypeArgs) resource.PropertyMap {
			outputs, err := createTLS(t, provider, typ, a.Inputs)
			require.NoError(t, err, typ)
			return outputs
		}}
	}
	return types
}

func createTLS(t *testing.T, provider *tlsprovider.Provider, typ string, inputs map[string]any) (resource.PropertyMap, error) {
	urn := "urn:pulumi:test::strongroom::" + typ + "::thing"
	news, err := plugin.Marshal(resource.NewPropertyMapFromMap(inputs))
	if err != nil {
		return nil, err
	}
	checked, err := provider.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn, News: news})
	if err != nil {
		return nil, err
	}
	if failures := checked.GetFailures(); len(failures) > 0 {
		return nil, fmt.Errorf("%s: %s", failures[0].GetProperty(), failures[0].GetReason())
	}
	created, err := provider.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: checked.GetInputs()})
	if err != nil {
		return nil, err
	}
	return plugin.Unmarshal(created.GetProperties())
}
