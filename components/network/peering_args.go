package network

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/cidr"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

// Side is one of the two VPCs.
type Side struct {
	VPCID pulumi.StringInput
	// CIDR of the VPC, which the other side gets routes to.
	CIDR string
	// RouteTables that get a route to the other side. Their names are unique.
	RouteTables []RouteTable
	Region      string
	// Provider for the region. It may be left out where the component's own is for
	// that region.
	Provider pulumi.ProviderResource
}

// PeeringArgs are the two sides. Which of them requests makes no difference to
// what the peering does.
type PeeringArgs struct {
	Requester Side
	Accepter  Side
	Tags      tags.Tags
}

// Validate reports the first argument that AWS would refuse.
func (a *PeeringArgs) Validate(name string) error {
	if a == nil {
		return fmt.Errorf("peering %q: the arguments are nil", name)
	}
	if err := a.validate(); err != nil {
		return fmt.Errorf("peering %q: %w", name, err)
	}
	return nil
}

func (a *PeeringArgs) validate() error {
	if err := a.Requester.validate(); err != nil {
		return fmt.Errorf("requester: %w", err)
	}
	if err := a.Accepter.validate(); err != nil {
		return fmt.Errorf("accepter: %w", err)
	}
	requester, err := cidr.Parse(a.Requester.CIDR)
	if err != nil {
		return fmt.Errorf("requester: cidr: %w", err)
	}
	accepter, err := cidr.Parse(a.Accepter.CIDR)
	if err != nil {
		return fmt.Errorf("accepter: cidr: %w", err)
	}
	if cidr.Overlap(requester, accepter) {
		return fmt.Errorf("the requester's range %s overlaps the accepter's, %s, and addresses that both have cannot be routed: choose ranges apart", requester, accepter)
	}
	if a.Requester.Region != a.Accepter.Region && (a.Requester.Provider == nil || a.Accepter.Provider == nil) {
		return fmt.Errorf("the sides are in %s and %s: each needs the provider of its region", a.Requester.Region, a.Accepter.Region)
	}
	return a.Tags.Validate()
}

func (s *Side) validate() error {
	if s.VPCID == nil {
		return errors.New("vpcId is missing")
	}
	if err := checkRegion(s.Region); err != nil {
		return err
	}
	if len(s.RouteTables) == 0 {
		return errors.New("routeTables: none given: without a route nothing reaches the other side")
	}
	seen := map[string]bool{}
	for _, table := range s.RouteTables {
		switch {
		case !nameForm.MatchString(table.Name):
			return fmt.Errorf("routeTables: %q is not a name: use letters, digits and single hyphens", table.Name)
		case table.ID == nil:
			return fmt.Errorf("routeTables: the id of %q is missing", table.Name)
		case seen[table.Name]:
			return fmt.Errorf("routeTables: the name %q is given twice", table.Name)
		}
		seen[table.Name] = true
	}
	return nil
}

// inputs are what the state shows for the component.
func (a *PeeringArgs) inputs() pulumi.Map {
	side := func(s Side) pulumi.Map {
		tables := pulumi.StringArray{}
		for _, table := range s.RouteTables {
			tables = append(tables, pulumi.String(table.Name))
		}
		return pulumi.Map{
			"vpcId":       s.VPCID,
			"cidr":        pulumi.String(s.CIDR),
			"region":      pulumi.String(s.Region),
			"routeTables": tables,
		}
	}
	return pulumi.Map{"requester": side(a.Requester), "accepter": side(a.Accepter), "tags": a.Tags.Map()}
}
