package stacks

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/components/clientvpn"
	"github.com/strongroom-platform/strongroom/components/network"
	"github.com/strongroom-platform/strongroom/components/vaultconfig"
	"github.com/strongroom-platform/strongroom/internal/cidr"
)

// contractVersion counts the changes of Contract that a reader must know of. A
// stack reads the version that it was built with and no other.
const contractVersion = 3

// contractOutput is the name of the stack output that holds the contract.
const contractOutput = "contract"

// Contract is what a tooling stack promises to the application stacks that join
// it. What decides about resources is a plain value; the rest are identifiers of
// resources, known when the contract is read.
type Contract struct {
	// Region is where everything below is.
	Region string
	// VPCID and VPCCIDR are the VPC to peer with.
	VPCID   pulumi.StringInput
	VPCCIDR string
	// RouteTables are all route tables of the VPC that need a way back.
	RouteTables []network.RouteTable
	// VPNClientCIDR is the range of VPN clients, or empty where there is no VPN.
	VPNClientCIDR string
	// VPNEndpointID and VPNSubnets are the Client VPN endpoint and its target
	// networks, through which clients are led on; only where there is a VPN.
	VPNEndpointID pulumi.StringInput
	VPNSubnets    []clientvpn.Subnet
	// ZoneID and ZoneName are the private hosted zone to join.
	ZoneID   pulumi.StringInput
	ZoneName string
	// VaultHostname and VaultPort are where Vault answers, VaultSecurityGroupID the
	// security group that must let the application in.
	VaultHostname        string
	VaultPort            int
	VaultSecurityGroupID pulumi.StringInput
	// VaultKubeconfig reaches the cluster that Vault runs in, and VaultCACertificates
	// verify Vault. Neither is a credential.
	VaultKubeconfig     pulumi.StringInput
	VaultCACertificates pulumi.StringInput
	// VaultInside is what the stacks share inside of Vault; nil: nothing is declared
	// there, and no other stack can.
	VaultInside *VaultInside
}

// VaultInside is what the tooling stack has made inside of Vault for all.
type VaultInside struct {
	// KVMount and DatabaseMount are the paths of the engines.
	KVMount, DatabaseMount string
	// Databases that there are: name, engine, and what users can connect to.
	Databases []vaultconfig.Database
	// Applications are the stacks, by strongroom:name, that may use them.
	Applications []string
}

// write exports the contract from the stack that keeps it.
func (c *Contract) write(ctx *pulumi.Context) {
	tables := make(pulumi.Array, len(c.RouteTables))
	for i, t := range c.RouteTables {
		tables[i] = pulumi.Map{"name": pulumi.String(t.Name), "id": t.ID}
	}
	subnets := make(pulumi.Array, len(c.VPNSubnets))
	for i, s := range c.VPNSubnets {
		subnets[i] = pulumi.Map{"name": pulumi.String(s.Name), "id": s.ID}
	}
	ctx.Export(contractOutput, pulumi.Map{
		"version":              pulumi.Int(contractVersion),
		"region":               pulumi.String(c.Region),
		"vpcId":                c.VPCID,
		"vpcCidr":              pulumi.String(c.VPCCIDR),
		"routeTables":          tables,
		"vpnClientCidr":        pulumi.String(c.VPNClientCIDR),
		"vpnEndpointId":        c.VPNEndpointID,
		"vpnSubnets":           subnets,
		"zoneId":               c.ZoneID,
		"zoneName":             pulumi.String(c.ZoneName),
		"vaultHostname":        pulumi.String(c.VaultHostname),
		"vaultPort":            pulumi.Int(c.VaultPort),
		"vaultSecurityGroupId": c.VaultSecurityGroupID,
		"vaultKubeconfig":      c.VaultKubeconfig,
		"vaultCaCertificates":  c.VaultCACertificates,
		"vaultInside":          c.VaultInside.output(),
	})
}

// output is an empty object where there is nothing inside of Vault.
func (v *VaultInside) output() pulumi.Map {
	if v == nil {
		return pulumi.Map{}
	}
	databases := make(pulumi.Array, len(v.Databases))
	for i, d := range v.Databases {
		databases[i] = pulumi.Map{
			"name": pulumi.String(d.Name), "engine": pulumi.String(d.Engine), "database": pulumi.String(d.Database),
		}
	}
	return pulumi.Map{
		"kvMount":       pulumi.String(v.KVMount),
		"databaseMount": pulumi.String(v.DatabaseMount),
		"databases":     databases,
		"applications":  pulumi.ToStringArray(v.Applications),
	}
}

// readContract reads the contract of a tooling stack, named as in
// Config.ToolingStack. It fails, naming what is missing, when that stack is not up
// or was brought up by another version of the program. Nothing but the reference
// to the stack is registered.
func readContract(ctx *pulumi.Context, stack string) (*Contract, error) {
	full := stack
	if !strings.Contains(full, "/") {
		full = fmt.Sprintf("%s/%s/%s", ctx.Organization(), ctx.Project(), stack)
	}
	ref, err := pulumi.NewStackReference(ctx, full, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the outputs of stack %q: %w", stack, err)
	}
	details, err := ref.GetOutputDetails(contractOutput)
	if err != nil {
		err = fmt.Errorf("stack %q cannot be read, %s: %w", stack, bringUp(stack), err)
		// The SDK puts the engine's bare answer ("unknown stack") in the place of what
		// the program returns, so the remedy is logged as well.
		return nil, errors.Join(err, ctx.Log.Error(err.Error(), nil))
	}
	if details.SecretValue != nil {
		return nil, fmt.Errorf("output %q of stack %q is secret, which a contract never is: %s",
			contractOutput, stack, bringUp(stack))
	}
	if details.Value == nil {
		return nil, fmt.Errorf("stack %q is not up, it has no output %q: %s", stack, contractOutput, bringUp(stack))
	}
	return parseContract(stack, details.Value)
}

// parseContract checks and converts the value that write exported.
func parseContract(stack string, value any) (*Contract, error) {
	r := &contractReader{stack: stack, at: contractOutput}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("output %q of stack %q is a %T instead of an object: %s",
			contractOutput, stack, value, bringUp(stack))
	}
	r.object = object
	// Without the right version, nothing else about the contract is certain.
	if version := r.integer("version"); len(r.problems) == 0 && version != contractVersion {
		return nil, fmt.Errorf("the contract of stack %q has version %d and this program reads version %d: %s with this program first",
			stack, version, contractVersion, bringUp(stack))
	}
	c := &Contract{
		Region:               r.text("region"),
		VPCID:                pulumi.String(r.text("vpcId")),
		VPCCIDR:              r.text("vpcCidr"),
		RouteTables:          r.routeTables("routeTables"),
		VPNClientCIDR:        r.optional("vpnClientCidr"),
		VPNEndpointID:        pulumi.String(r.optional("vpnEndpointId")),
		VPNSubnets:           r.vpnSubnets("vpnSubnets"),
		ZoneID:               pulumi.String(r.text("zoneId")),
		ZoneName:             r.text("zoneName"),
		VaultHostname:        r.text("vaultHostname"),
		VaultPort:            r.integer("vaultPort"),
		VaultSecurityGroupID: pulumi.String(r.text("vaultSecurityGroupId")),
		VaultKubeconfig:      pulumi.String(r.text("vaultKubeconfig")),
		VaultCACertificates:  pulumi.String(r.text("vaultCaCertificates")),
		VaultInside:          r.vaultInside("vaultInside"),
	}
	r.ipRange("vpcCidr", c.VPCCIDR)
	r.ipRange("vpnClientCidr", c.VPNClientCIDR)
	r.wholeVPN(c)
	if len(r.problems) > 0 {
		return nil, fmt.Errorf("the contract of stack %q is incomplete, %s:\n%w",
			stack, bringUp(stack), errors.Join(r.problems...))
	}
	return c, nil
}

// bringUp is the remedy for nearly everything that can be wrong with a contract.
func bringUp(stack string) string { return fmt.Sprintf("run `strongroom up %s` first", stack) }

// contractReader takes typed fields out of an object and remembers what is wrong.
type contractReader struct {
	stack, at string
	object    map[string]any
	problems  []error
}

func (r *contractReader) problem(key, message string) {
	r.problems = append(r.problems, fmt.Errorf("output %q of stack %q: %s", r.at+"."+key, r.stack, message))
}

// optional returns a string that may be empty but must be there.
func (r *contractReader) optional(key string) string {
	s, ok := r.object[key].(string)
	if !ok {
		r.mismatch(key, "a string")
	}
	return s
}

func (r *contractReader) text(key string) string {
	before := len(r.problems)
	s := r.optional(key)
	if s == "" && len(r.problems) == before {
		r.problem(key, "is empty")
	}
	return s
}

func (r *contractReader) integer(key string) int {
	n, ok := r.object[key].(float64)
	if !ok || n != math.Trunc(n) {
		r.mismatch(key, "a whole number")
		return 0
	}
	return int(n)
}

// ipRange checks the range at key, which may be empty.
func (r *contractReader) ipRange(key, value string) {
	if _, err := cidr.Parse(value); value != "" && err != nil {
		r.problem(key, err.Error())
	}
}

func (r *contractReader) routeTables(key string) []network.RouteTable {
	items := r.named(key)
	if list, ok := r.object[key].([]any); ok && len(list) == 0 {
		r.problem(key, "is empty: without a route back no answer arrives")
	}
	tables := make([]network.RouteTable, len(items))
	for i, item := range items {
		tables[i] = network.RouteTable{Name: item.name, ID: pulumi.String(item.id)}
	}
	return tables
}

func (r *contractReader) vpnSubnets(key string) []clientvpn.Subnet {
	var subnets []clientvpn.Subnet
	for _, item := range r.named(key) {
		subnets = append(subnets, clientvpn.Subnet{Name: item.name, ID: pulumi.String(item.id)})
	}
	return subnets
}

// wholeVPN checks that there is all of a VPN or nothing of it.
func (r *contractReader) wholeVPN(c *Contract) {
	if c.VPNClientCIDR == "" || len(r.problems) > 0 {
		return
	}
	if c.VPNEndpointID == pulumi.String("") {
		r.problem("vpnEndpointId", "is empty, but there are VPN clients")
	}
	if len(c.VPNSubnets) == 0 {
		r.problem("vpnSubnets", "is empty, but there are VPN clients")
	}
}

func (r *contractReader) vaultInside(key string) *VaultInside {
	object, ok := r.object[key].(map[string]any)
	if !ok {
		r.mismatch(key, "an object")
		return nil
	}
	if len(object) == 0 {
		return nil
	}
	inner := &contractReader{stack: r.stack, at: r.at + "." + key, object: object}
	v := &VaultInside{
		KVMount: inner.text("kvMount"), DatabaseMount: inner.text("databaseMount"),
		Databases: inner.databases("databases"), Applications: inner.texts("applications"),
	}
	r.problems = append(r.problems, inner.problems...)
	return v
}

func (r *contractReader) databases(key string) []vaultconfig.Database {
	list, ok := r.object[key].([]any)
	if !ok {
		r.mismatch(key, "a list")
	}
	var databases []vaultconfig.Database
	for i, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			r.problem(index(key, i), fmt.Sprintf("expected an object, got %T", item))
			continue
		}
		inner := &contractReader{stack: r.stack, at: r.at + "." + index(key, i), object: object}
		databases = append(databases, vaultconfig.Database{
			Name: inner.text("name"), Engine: inner.text("engine"), Database: inner.text("database"),
		})
		r.problems = append(r.problems, inner.problems...)
	}
	return databases
}

func (r *contractReader) texts(key string) []string {
	list, ok := r.object[key].([]any)
	if !ok {
		r.mismatch(key, "a list")
	}
	var texts []string
	for i, item := range list {
		text, ok := item.(string)
		if !ok {
			r.problem(index(key, i), fmt.Sprintf("expected a string, got %T", item))
			continue
		}
		texts = append(texts, text)
	}
	return texts
}

type namedID struct{ name, id string }

// named reads a list of identifiers with names.
func (r *contractReader) named(key string) []namedID {
	list, ok := r.object[key].([]any)
	if !ok {
		r.mismatch(key, "a list")
		return nil
	}
	items := make([]namedID, len(list))
	for i, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			r.problem(index(key, i), fmt.Sprintf("expected an object, got %T", item))
			continue
		}
		reader := &contractReader{stack: r.stack, at: r.at + "." + index(key, i), object: object}
		items[i] = namedID{name: reader.text("name"), id: reader.text("id")}
		r.problems = append(r.problems, reader.problems...)
	}
	return items
}

func (r *contractReader) mismatch(key, expected string) {
	value, ok := r.object[key]
	if !ok || value == nil {
		r.problem(key, "is missing")
		return
	}
	r.problem(key, fmt.Sprintf("expected %s, got %T", expected, value))
}
