package account

import "reflect"

const remoteDNS = "allowRemoteVpcDnsResolution"

// peeringSides are the properties that hold the options of the two sides.
var peeringSides = []string{"accepter", "requester"}

var peeringOptionDefaults = map[string]any{"accepter." + remoteDNS: false, "requester." + remoteDNS: false}

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_peering_connection_options.go
//
// Deleting the resource leaves the options as they are. In the provider every
// such resource has the ID of its peering connection; here a second one for the
// other side has the side's name after it, because an object of the account
// needs an ID of its own.
var _ = register(typePeeringOptions, rules{
	defaults: peeringOptionDefaults,
	forceNew: []string{"vpcPeeringConnectionId"},
	computed: peeringSides,
	create:   createPeeringOptions,
	update:   updatePeeringOptions,
	read:     readPeeringOptions,
})

func createPeeringOptions(v *view, o *Object) error {
	if err := v.modifyPeering(o, o.in()); err != nil {
		return err
	}
	o.ID = o.in().String("vpcPeeringConnectionId")
	if v.get(typePeeringOptions, o.ID) != nil {
		for _, side := range peeringSides {
			if o.in().Has(side) {
				o.ID += "/" + side
				break
			}
		}
	}
	readPeeringOptions(v, o)
	return nil
}

func updatePeeringOptions(v *view, old, o *Object) error {
	return v.modifyPeering(o, changedOptions(old.in(), o.in()))
}

func (v *view) modifyPeering(o *Object, options Props) error {
	id := o.in().String("vpcPeeringConnectionId")
	if _, err := v.peeringOf(id, o.Region); err != nil {
		return err
	}
	return v.setPeeringOptions(v.edit(typePeering, id), options, o.Region)
}

// changedOptions are the options that an update asks AWS to set: those that
// changed.
func changedOptions(old, new Props) Props {
	changed := Props{}
	for _, side := range peeringSides {
		if new.Has(side) && !reflect.DeepEqual(old[side], new[side]) {
			changed[side] = new[side]
		}
	}
	return changed
}

// setPeeringOptions sets options of a peering connection, from one of its two
// regions.
func (v *view) setPeeringOptions(peering *Object, options Props, region string) error {
	regions := map[string]string{"accepter": peering.out().String("peerRegion"), "requester": peering.Region}
	vpcs := map[string]string{"accepter": peering.out().String("peerVpcId"), "requester": peering.out().String("vpcId")}
	for _, side := range peeringSides {
		if !options.Has(side) {
			continue
		}
		if peering.out().String("acceptStatus") != peeringActive {
			return refuse("OperationNotPermitted", "peering %s is not active (it is %q): peering options can be added only to active peerings", peering.ID, peering.out().String("acceptStatus"))
		}
		if regions[side] != region {
			return refuse("OperationNotPermitted", "the %s's VPC peering connection options of %s cannot be modified from a different region: its region is %s, not %s", side, peering.ID, regions[side], region)
		}
		allow := options.Props(side).Bool(remoteDNS, false)
		if vpc := v.get(typeVPC, vpcs[side]); allow && vpc != nil && (!vpc.out().Bool("enableDnsHostnames", false) || !vpc.out().Bool("enableDnsSupport", true)) {
			return refuse("OperationNotPermitted", "VPC %q must have DNS hostnames and DNS support enabled before %s.%s of %s can be true", vpc.ID, side, remoteDNS, peering.ID)
		}
		peering.Outputs[side] = map[string]any{remoteDNS: allow}
	}
	return nil
}

func readPeeringOptions(v *view, o *Object) {
	peering := v.get(typePeering, o.in().String("vpcPeeringConnectionId"))
	if peering == nil {
		return
	}
	for _, side := range peeringSides {
		if options := peering.out().Props(side); options != nil {
			o.Outputs[side] = cloneMap(options)
			if o.in().Has(side) {
				o.Inputs[side] = cloneMap(options) // a difference where another hand set them
			}
		}
	}
}
