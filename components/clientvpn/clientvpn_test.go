package clientvpn_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-tls/sdk/v5/go/tls"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/clientvpn"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

const (
	componentType     = "strongroom:clientvpn:ClientVpn"
	keyType           = "tls:index/privateKey:PrivateKey"
	caType            = "tls:index/selfSignedCert:SelfSignedCert"
	requestType       = "tls:index/certRequest:CertRequest"
	signedType        = "tls:index/locallySignedCert:LocallySignedCert"
	certificateType   = "aws:acm/certificate:Certificate"
	endpointType      = "aws:ec2clientvpn/endpoint:Endpoint"
	associationType   = "aws:ec2clientvpn/networkAssociation:NetworkAssociation"
	authorizationType = "aws:ec2clientvpn/authorizationRule:AuthorizationRule"
	routeType         = "aws:ec2clientvpn/route:Route"
	groupType         = "aws:ec2/securityGroup:SecurityGroup"
	ingressType       = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressType        = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	logType           = "aws:cloudwatch/logGroup:LogGroup"
	bucketType        = "aws:s3/bucketV2:BucketV2"
)

var testTags = tags.Tags{"environment": "test"}

// program runs a program with a VPN named "tooling-vpn", and hands over what it made.
func program(change func(*clientvpn.Args), use func(*pulumi.Context, *clientvpn.ClientVPN) error) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		s, err := pulumitest.NewSurroundings(ctx, testTags)
		if err != nil {
			return err
		}
		provider, err := tls.NewProvider(ctx, "tls", &tls.ProviderArgs{})
		if err != nil {
			return err
		}
		args := &clientvpn.Args{
			VPCID: s.VPCID, VPCCIDR: "10.0.0.0/16", ClientCIDR: "10.100.0.0/22", ServerName: "vpn.tooling.internal",
			Subnets: []clientvpn.Subnet{{Name: "a", ID: s.SubnetIDs[0]}, {Name: "b", ID: s.SubnetIDs[1]}},
			Targets: []clientvpn.Target{{Name: "vault", SecurityGroupID: pulumi.String("sg-vault"), Port: 8200}},
			Banner:  "hello", Tags: testTags, Protect: true,
		}
		if change != nil {
			change(args)
		}
		vpn, err := clientvpn.New(ctx, "tooling-vpn", args, pulumi.Providers(s.AWS, provider))
		if err != nil || use == nil {
			return err
		}
		return use(ctx, vpn)
	}
}

func TestClientVPN(t *testing.T) {
	g := pulumitest.RunBoth(t, program(nil, nil), pulumitest.Options{})
	g.CheckParents(t)
	g.CheckNames(t)
	g.CheckOutputs(t)
	g.CheckTags(t, testTags)
	g.CheckProviders(t, "aws", "tls")
	g.CheckProtect(t, true)
	require.Empty(t, g.OpenToAll())
	found, err := g.Wildcards()
	require.NoError(t, err)
	require.Empty(t, found)

	endpoint := g.Get(t, endpointType, "tooling-vpn-endpoint")
	certificate := g.Get(t, certificateType, "tooling-vpn-certificate")
	group := g.Get(t, groupType, "tooling-vpn-sg")
	log := g.Get(t, logType, "tooling-vpn-connections")
	require.Equal(t, "10.100.0.0/22", endpoint.Get("clientCidrBlock"))
	require.Equal(t, certificate.ID, endpoint.Get("serverCertificateArn"))
	require.Equal(t, []any{map[string]any{"type": "certificate-authentication", "rootCertificateChainArn": certificate.ID}},
		endpoint.Get("authenticationOptions"), "mutual TLS, and nothing else")
	require.Equal(t, []any{"10.0.0.2"}, endpoint.Get("dnsServers"), "the VPC's own resolver")
	require.Equal(t, true, endpoint.Get("splitTunnel"))
	require.Equal(t, "disabled", endpoint.Get("selfServicePortal"))
	require.Equal(t, 8.0, endpoint.Get("sessionTimeoutHours"))
	require.Equal(t, map[string]any{"enabled": true, "bannerText": "hello"}, endpoint.Get("clientLoginBannerOptions"))
	require.Equal(t, map[string]any{"enabled": true, "cloudwatchLogGroup": log.Get("name")}, endpoint.Get("connectionLogOptions"))
	require.Equal(t, []any{group.ID}, endpoint.Get("securityGroupIds"))
	require.Equal(t, 90.0, log.Get("retentionInDays"))
	require.True(t, log.Protect)

	require.Equal(t, []string{"tooling-vpn-association-a", "tooling-vpn-association-b"}, g.Names(associationType))
	for _, association := range g.OfType(associationType) {
		require.Equal(t, endpoint.ID, association.Get("clientVpnEndpointId"))
		require.True(t, association.DeleteBeforeReplace, "a zone has one target network")
	}
	rules := g.OfType(authorizationType)
	require.Len(t, rules, 1)
	require.Equal(t, "10.0.0.0/16", rules[0].Get("targetNetworkCidr"))
	require.Equal(t, true, rules[0].Get("authorizeAllGroups"))
	require.Empty(t, g.OfType(routeType), "AWS makes the route to the VPC with the association")
}

// Clients reach 8200 of Vault's load balancer, and nothing else.
func TestClientsReachTheTargetsOnly(t *testing.T) {
	g := pulumitest.Run(t, program(nil, nil), pulumitest.Options{})
	group := g.Get(t, groupType, "tooling-vpn-sg")
	require.Nil(t, group.Get("ingress"))
	require.Nil(t, group.Get("egress"))
	require.Equal(t, []string{"tooling-vpn-to-vault"}, g.Names(egressType))
	require.Equal(t, []string{"tooling-vpn-at-vault"}, g.Names(ingressType))
	for name, sides := range map[string][2]any{"to": {group.ID, "sg-vault"}, "at": {"sg-vault", group.ID}} {
		typ := map[string]string{"to": egressType, "at": ingressType}[name]
		rule := g.Get(t, typ, "tooling-vpn-"+name+"-vault")
		require.Equal(t, sides[0], rule.Get("securityGroupId"))
		require.Equal(t, sides[1], rule.Get("referencedSecurityGroupId"))
		require.Equal(t, "tcp", rule.Get("ipProtocol"))
		require.Equal(t, 8200.0, rule.Get("fromPort"))
		require.Equal(t, 8200.0, rule.Get("toPort"))
	}
	none := pulumitest.Run(t, program(func(a *clientvpn.Args) { a.Targets = nil }, nil), pulumitest.Options{})
	require.Empty(t, none.OfType(egressType))
	require.Empty(t, none.OfType(ingressType))
}

func TestCertificates(t *testing.T) {
	var vpn *clientvpn.ClientVPN
	g := pulumitest.RunBoth(t, program(nil, func(ctx *pulumi.Context, made *clientvpn.ClientVPN) error {
		vpn = made
		ctx.Export("key", made.CAPrivateKey)
		return nil
	}), pulumitest.Options{})
	require.True(t, vpn.HasCAKey)
	require.True(t, g.IsSecretOutput("key"))

	for name, protected := range map[string]bool{"tooling-vpn-ca-key": true, "tooling-vpn-server-key": false} {
		key := g.Get(t, keyType, name)
		require.Equal(t, "RSA", key.Get("algorithm"))
		require.Equal(t, 2048.0, key.Get("rsaBits"))
		require.Equal(t, protected, key.Protect)
		require.ElementsMatch(t, []string{"privateKeyPem", "privateKeyOpenssh", "privateKeyPemPkcs8"}, key.AdditionalSecretOutputs)
	}
	ca := g.Get(t, caType, "tooling-vpn-ca")
	require.True(t, ca.Protect)
	require.Equal(t, true, ca.Get("isCaCertificate"))
	require.Equal(t, true, ca.Get("setSubjectKeyId"))
	require.Equal(t, []any{"cert_signing", "crl_signing"}, ca.Get("allowedUses"))
	require.Equal(t, 87600.0, ca.Get("validityPeriodHours"))
	require.Equal(t, []any{"vpn.tooling.internal"}, g.Get(t, requestType, "tooling-vpn-server-request").Get("dnsNames"))
	server := g.Get(t, signedType, "tooling-vpn-server")
	require.Equal(t, []any{"digital_signature", "key_encipherment", "server_auth"}, server.Get("allowedUses"))
	require.Equal(t, 8760.0, server.Get("validityPeriodHours"))
	require.Equal(t, 1440.0, server.Get("earlyRenewalHours"))

	certificate := g.Get(t, certificateType, "tooling-vpn-certificate")
	require.Equal(t, "simulated certificate tooling-vpn-server", certificate.Get("certificateBody"))
	require.Equal(t, "simulated certificate tooling-vpn-ca", certificate.Get("certificateChain"))
	require.True(t, certificate.IsSecret("privateKey"))
	require.Equal(t, "simulated private key of tooling-vpn-server-key", certificate.Get("privateKey"), "never the authority's")
	require.Equal(t, "simulated certificate tooling-vpn-ca", certificate.ReplacementTrigger, "another authority is another ARN")
	g.CheckNoPlaintext(t, "simulated private key")
}

func TestIndex(t *testing.T) {
	g := pulumitest.Run(t, program(nil, nil), pulumitest.Options{})
	bucket := g.Get(t, bucketType, "tooling-vpn-index")
	require.Equal(t, false, bucket.Get("forceDestroy"))
	require.Equal(t, bucket.State["bucket"].StringValue(), g.Get(t, componentType, "tooling-vpn").Output("bucket"))
	settings := map[string]string{
		"versioning": "aws:s3/bucketVersioningV2:BucketVersioningV2",
		"encryption": "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
		"private":    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
		"policy":     "aws:s3/bucketPolicy:BucketPolicy",
	}
	for name, typ := range settings {
		require.Equal(t, bucket.ID, g.Get(t, typ, "tooling-vpn-index-"+name).Get("bucket"))
	}
	require.Equal(t, "Enabled", g.Get(t, settings["versioning"], "tooling-vpn-index-versioning").Get("versioningConfiguration.status"))
	for _, input := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
		require.Equal(t, true, g.Get(t, settings["private"], "tooling-vpn-index-private").Get(input))
	}
	text, ok := g.Get(t, settings["policy"], "tooling-vpn-index-policy").Get("policy").(string)
	require.True(t, ok)
	var policy struct {
		Statement []struct {
			Effect    string
			Condition map[string]map[string]any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &policy))
	require.Len(t, policy.Statement, 1)
	require.Equal(t, "Deny", policy.Statement[0].Effect)
	require.Equal(t, []any{"false"}, policy.Statement[0].Condition["Bool"]["aws:SecureTransport"])
}

// Without protection everything can go, the bucket with what is in it.
func TestProtectIsASwitch(t *testing.T) {
	g := pulumitest.Run(t, program(func(a *clientvpn.Args) { a.Protect = false }, nil), pulumitest.Options{})
	for _, r := range g.ChildrenOf(g.Get(t, componentType, "tooling-vpn")) {
		require.False(t, r.Protect, "%s", r)
	}
	require.Equal(t, true, g.Get(t, bucketType, "tooling-vpn-index").Get("forceDestroy"))
}

func TestSettings(t *testing.T) {
	g := pulumitest.Run(t, program(func(a *clientvpn.Args) {
		a.DNSServer, a.SessionHours, a.Banner, a.LogRetentionDays = "10.0.7.7", 24, "", 365
		a.CertificateDays, a.AuthorityDays = 90, 100
	}, nil), pulumitest.Options{})
	endpoint := g.Get(t, endpointType, "tooling-vpn-endpoint")
	require.Equal(t, []any{"10.0.7.7"}, endpoint.Get("dnsServers"))
	require.Equal(t, 24.0, endpoint.Get("sessionTimeoutHours"))
	require.Equal(t, map[string]any{"enabled": false}, endpoint.Get("clientLoginBannerOptions"))
	require.Equal(t, 365.0, g.Get(t, logType, "tooling-vpn-connections").Get("retentionInDays"))
	require.Equal(t, 90*24.0, g.Get(t, signedType, "tooling-vpn-server").Get("validityPeriodHours"))
	require.Equal(t, 100*24.0, g.Get(t, caType, "tooling-vpn-ca").Get("validityPeriodHours"))
}

func TestRoutes(t *testing.T) {
	g := pulumitest.RunBoth(t, program(nil, func(ctx *pulumi.Context, vpn *clientvpn.ClientVPN) error {
		_, err := clientvpn.NewRoutes(ctx, "shop", &clientvpn.RoutesArgs{
			EndpointID: vpn.EndpointID, ClientCIDR: "10.100.0.0/22", Subnets: vpn.Subnets, CIDR: "10.20.0.0/16", Description: "VPC of the shop",
		}, pulumi.Parent(vpn))
		return err
	}), pulumitest.Options{})
	g.CheckParents(t)
	g.CheckOutputs(t)
	g.CheckProviders(t, "aws")
	endpoint := g.Get(t, endpointType, "tooling-vpn-endpoint")
	rule := g.Get(t, authorizationType, "shop-authorization")
	require.Equal(t, "10.20.0.0/16", rule.Get("targetNetworkCidr"))
	require.Equal(t, []string{"shop-route-a", "shop-route-b"}, g.Names(routeType), "through each target network")
	for _, letter := range []string{"a", "b"} {
		route := g.Get(t, routeType, "shop-route-"+letter)
		association := g.Get(t, associationType, "tooling-vpn-association-"+letter)
		require.Equal(t, endpoint.ID, route.Get("clientVpnEndpointId"))
		require.Equal(t, "10.20.0.0/16", route.Get("destinationCidrBlock"))
		require.Equal(t, association.Get("subnetId"), route.Get("targetVpcSubnetId"))
		require.True(t, g.DependsOn(route, association), "AWS refuses a route through a subnet that is not associated")
	}
}

func TestValidate(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*clientvpn.Args)
		want   string
	}{
		"no vpc":            {func(a *clientvpn.Args) { a.VPCID = nil }, "vpcId is missing"},
		"vpc's range":       {func(a *clientvpn.Args) { a.VPCCIDR = "10.0.0.0" }, `vpcCidr: "10.0.0.0" is not a range`},
		"no subnets":        {func(a *clientvpn.Args) { a.Subnets = nil }, "subnets: none given"},
		"subnet twice":      {func(a *clientvpn.Args) { a.Subnets[1].Name = "a" }, `subnets: the name "a" is given twice`},
		"subnet without id": {func(a *clientvpn.Args) { a.Subnets[1].ID = nil }, `subnets: the id of "b" is missing`},
		"subnet's name":     {func(a *clientvpn.Args) { a.Subnets[1].Name = "B!" }, `subnets: "B!" is not a name`},
		"range too small":   {func(a *clientvpn.Args) { a.ClientCIDR = "10.100.0.0/23" }, "clientCidr: 10.100.0.0/23 is too small: a Client VPN takes /12 to /22"},
		"range too large":   {func(a *clientvpn.Args) { a.ClientCIDR = "10.0.0.0/11" }, "clientCidr: 10.0.0.0/11 is too large"},
		"range overlaps":    {func(a *clientvpn.Args) { a.ClientCIDR = "10.0.4.0/22" }, "clientCidr: 10.0.4.0/22 overlaps the VPC's range 10.0.0.0/16"},
		"no range":          {func(a *clientvpn.Args) { a.ClientCIDR = "" }, "clientCidr: missing"},
		"resolver outside":  {func(a *clientvpn.Args) { a.DNSServer = "8.8.8.8" }, `dnsServer: "8.8.8.8" is no address in the VPC's range 10.0.0.0/16`},
		"resolver":          {func(a *clientvpn.Args) { a.DNSServer = "dns" }, `dnsServer: "dns" is no address`},
		"server's name":     {func(a *clientvpn.Args) { a.ServerName = "vpn" }, `serverName: "vpn" is not a full domain name`},
		"long name":         {func(a *clientvpn.Args) { a.ServerName = strings.Repeat("v", 62) + ".eu" }, "of at most 64 characters"},
		"session":           {func(a *clientvpn.Args) { a.SessionHours = 9 }, "sessionHours: 9 is not possible: use one of [8 10 12 24]"},
		"banner":            {func(a *clientvpn.Args) { a.Banner = strings.Repeat("x", 1401) }, "banner: it has 1401 bytes"},
		"log":               {func(a *clientvpn.Args) { a.LogRetentionDays = -1 }, "logRetentionDays: -1"},
		"short certificate": {func(a *clientvpn.Args) { a.CertificateDays = 60 }, "certificateDays: 60 is too short"},
		"negative":          {func(a *clientvpn.Args) { a.AuthorityDays = -1 }, "count days"},
		"authority's end":   {func(a *clientvpn.Args) { a.AuthorityDays = 364 }, "the authority would expire after 364 days, before its certificate"},
		"target's port":     {func(a *clientvpn.Args) { a.Targets[0].Port = 0 }, `targets: port 0 of "vault" is out of range`},
		"target's group":    {func(a *clientvpn.Args) { a.Targets[0].SecurityGroupID = nil }, `targets: the securityGroupId of "vault" is missing`},
		"target's name":     {func(a *clientvpn.Args) { a.Targets[0].Name = "" }, `targets: "" is not a name`},
		"target twice":      {func(a *clientvpn.Args) { a.Targets = append(a.Targets, a.Targets[0]) }, `targets: the name "vault" is given twice`},
		"tags":              {func(a *clientvpn.Args) { a.Tags = tags.Tags{"aws:x": "y"} }, `tags: key "aws:x"`},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := pulumitest.RunErr(program(test.change, nil), pulumitest.Options{})
			require.ErrorContains(t, err, `client VPN "tooling-vpn": `)
			require.ErrorContains(t, err, test.want)
			require.Empty(t, g.OfType(componentType))
			require.Empty(t, g.OfType(keyType))
		})
	}
	_, err := clientvpn.New(nil, "vpn", nil)
	require.EqualError(t, err, `client VPN "vpn": the arguments are nil`)
}

func TestValidateRoutes(t *testing.T) {
	valid := func() *clientvpn.RoutesArgs {
		return &clientvpn.RoutesArgs{
			EndpointID: pulumi.String("cvpn-endpoint-1"), ClientCIDR: "10.100.0.0/22", CIDR: "10.20.0.0/16",
			Subnets: []clientvpn.Subnet{{Name: "a", ID: pulumi.String("subnet-1")}},
		}
	}
	require.NoError(t, valid().Validate("shop"))
	for want, change := range map[string]func(*clientvpn.RoutesArgs){
		"endpointId is missing":        func(a *clientvpn.RoutesArgs) { a.EndpointID = nil },
		"subnets: none given":          func(a *clientvpn.RoutesArgs) { a.Subnets = nil },
		`cidr: "x" is not a range`:     func(a *clientvpn.RoutesArgs) { a.CIDR = "x" },
		`clientCidr: missing`:          func(a *clientvpn.RoutesArgs) { a.ClientCIDR = "" },
		"overlaps the clients' range":  func(a *clientvpn.RoutesArgs) { a.CIDR = "10.100.0.0/16" },
		`subnets: the id of "a" is mi`: func(a *clientvpn.RoutesArgs) { a.Subnets[0].ID = nil },
	} {
		args := valid()
		change(args)
		require.ErrorContains(t, args.Validate("shop"), want)
	}
	require.EqualError(t, (*clientvpn.RoutesArgs)(nil).Validate("shop"), `VPN routes "shop": the arguments are nil`)
}
