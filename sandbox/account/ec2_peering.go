package account

import "fmt"

// The states of a peering connection that the account knows: AWS's others are
// those of connections that failed or are gone.
const (
	peeringActive  = "active"
	peeringPending = "pending-acceptance"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_peering_connection.go
var _ = register(typePeering, rules{
	defaults: peeringOptionDefaults,
	forceNew: []string{"peerOwnerId", "peerRegion", "peerVpcId", "vpcId"},
	computed: []string{"accepter", "peerOwnerId", "peerRegion", "requester"},
	check:    checkPeering,
	create:   createPeering,
	update:   updatePeering,
	read:     readPeering,
	remove:   removePeering,
})

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_peering_connection_accepter.go
//
// Deleting the resource leaves the peering connection as it is.
var _ = register(typePeeringAccepter, rules{
	defaults: peeringOptionDefaults,
	forceNew: []string{"vpcPeeringConnectionId"},
	computed: []string{"accepter", "requester"},
	create:   createPeeringAccepter,
	update:   updatePeeringAccepter,
	read:     readPeeringAccepter,
})

func checkPeering(in Props) []Failure {
	var failures []Failure
	if in.Has("peerRegion") && in.Bool("autoAccept", false) {
		failures = append(failures, Failure{Property: "autoAccept", Reason: `cannot be true where "peerRegion" is given: the other side accepts, see VpcPeeringConnectionAccepter`})
	}
	if owner, known := in["peerOwnerId"].(string); known && owner != AccountID {
		failures = append(failures, Failure{Property: "peerOwnerId", Reason: fmt.Sprintf("there is only one simulated account, %s", AccountID)})
	}
	return failures
}

func createPeering(v *view, o *Object) error {
	vpc, err := v.vpcOf(o.in().String("vpcId"), o.Region)
	if err != nil {
		return err
	}
	region := o.in().StringOr("peerRegion", o.Region)
	if err := checkRegion(region); err != nil {
		return err
	}
	peer, err := v.vpcOf(o.in().String("peerVpcId"), region)
	if err != nil {
		return err
	}
	here, there := network(vpc.in().String("cidrBlock")), network(peer.in().String("cidrBlock"))
	if here.Overlaps(there) {
		return refuse("InvalidParameterValue", "the VPC peering connection failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range: %s of %q overlaps %s of %q", here, vpc.ID, there, peer.ID)
	}
	if other := v.peeringBetween(vpc.ID, peer.ID); other != nil {
		return refuse("VpcPeeringConnectionAlreadyExists", "a VPC peering connection between %q and %q already exists: %q", vpc.ID, peer.ID, other.ID)
	}
	o.ID = ec2ID("pcx")
	o.Outputs["acceptStatus"] = peeringPending
	o.Outputs["peerOwnerId"] = AccountID
	o.Outputs["peerRegion"] = region
	if o.in().Bool("autoAccept", false) {
		if err := v.accept(o, o.Region); err != nil {
			return err
		}
	}
	return v.setPeeringOptions(o, o.in(), o.Region)
}

func updatePeering(v *view, old, o *Object) error {
	if o.in().Bool("autoAccept", false) {
		if err := v.accept(o, o.Region); err != nil {
			return err
		}
	}
	return v.setPeeringOptions(o, changedOptions(old.in(), o.in()), o.Region)
}

// readPeering tells options that another hand set as a difference.
func readPeering(_ *view, o *Object) {
	for _, side := range peeringSides {
		if o.in().Has(side) && o.out().Has(side) {
			o.Inputs[side] = clone(o.Outputs[side])
		}
	}
}

// removePeering takes the resources away that describe a part of the peering
// connection. Routes to it stay and lead nowhere.
func removePeering(v *view, o *Object) error {
	for _, typ := range []string{typePeeringAccepter, typePeeringOptions} {
		for _, part := range v.all(typ, func(part *Object) bool { return part.in().String("vpcPeeringConnectionId") == o.ID }) {
			v.del(part.Type, part.ID)
		}
	}
	return nil
}

// accept makes a peering connection active. Only the region of the accepter's
// VPC can.
func (v *view) accept(peering *Object, region string) error {
	if peering.out().String("acceptStatus") == peeringActive {
		return nil
	}
	if accepter := peering.out().String("peerRegion"); accepter != region {
		return refuse("OperationNotPermitted", "incorrect region (%s) specified for this request: VPC peering connection %s must be accepted in region %s", region, peering.ID, accepter)
	}
	peering.Outputs["acceptStatus"] = peeringActive
	for _, side := range peeringSides {
		peering.Outputs[side] = map[string]any{remoteDNS: false}
	}
	return nil
}

// peeringOf returns a peering connection that something in one of its two
// regions refers to.
func (v *view) peeringOf(id, region string) (*Object, error) {
	peering := v.get(typePeering, id)
	if peering == nil || (peering.Region != region && peering.out().String("peerRegion") != region) {
		return nil, missingReference("InvalidVpcPeeringConnectionID.NotFound", "the vpcPeeringConnection ID %q does not exist in %s", id, region)
	}
	return peering, nil
}

func (v *view) peeringBetween(a, b string) *Object {
	return v.first(typePeering, func(o *Object) bool {
		requester, accepter := o.in().String("vpcId"), o.in().String("peerVpcId")
		return requester == a && accepter == b || requester == b && accepter == a
	})
}

// peered says whether traffic may pass between two VPCs of one region.
func (v *view) peered(a, b string) bool {
	peering := v.peeringBetween(a, b)
	return peering != nil && peering.out().String("acceptStatus") == peeringActive
}

func createPeeringAccepter(v *view, o *Object) error {
	if err := v.acceptFor(o, o.in()); err != nil {
		return err
	}
	o.ID = o.in().String("vpcPeeringConnectionId")
	readPeeringAccepter(v, o)
	return nil
}

func updatePeeringAccepter(v *view, old, o *Object) error {
	return v.acceptFor(o, changedOptions(old.in(), o.in()))
}

// acceptFor accepts a peering connection where the accepter asks for it, and
// sets its options.
func (v *view) acceptFor(o *Object, options Props) error {
	id := o.in().String("vpcPeeringConnectionId")
	if _, err := v.peeringOf(id, o.Region); err != nil {
		return err
	}
	peering := v.edit(typePeering, id)
	if o.in().Bool("autoAccept", false) {
		if err := v.accept(peering, o.Region); err != nil {
			return err
		}
	}
	return v.setPeeringOptions(peering, options, o.Region)
}

// readPeeringAccepter tells what the peering connection says. Within one
// account both sides are described from the requester's.
func readPeeringAccepter(v *view, o *Object) {
	peering := v.get(typePeering, o.in().String("vpcPeeringConnectionId"))
	if peering == nil {
		return
	}
	out := peering.out()
	o.Outputs["acceptStatus"] = out.String("acceptStatus")
	o.Outputs["peerOwnerId"] = out.String("peerOwnerId")
	o.Outputs["peerRegion"] = out.String("peerRegion")
	o.Outputs["peerVpcId"] = out.String("peerVpcId")
	o.Outputs["vpcId"] = out.String("vpcId")
	readPeeringOptions(v, o)
}
