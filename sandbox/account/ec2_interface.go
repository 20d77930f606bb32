package account

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// typeNetworkInterface is not a type that programs create here: AWS attaches
// network interfaces for the objects that own them.
const typeNetworkInterface = "aws:ec2/networkInterface:NetworkInterface"

// attach makes a network interface for an object, in a subnet.
func (v *view) attach(owner, subnet *Object, description string, groups []string) (*Object, error) {
	address, err := v.freeAddress(subnet)
	if err != nil {
		return nil, err
	}
	return v.own(owner, typeNetworkInterface, ec2ID("eni"), map[string]any{
		"subnetId": subnet.ID, "vpcId": subnet.out().String("vpcId"), "privateIp": address,
		"description": description, "securityGroups": list(groups),
	}), nil
}

// attachEach makes one network interface in each of several subnets, keeping
// those that stand already and taking away those in other subnets.
func (v *view) attachEach(owner *Object, subnets []*Object, description string, groups []string) error {
	standing := map[string]*Object{}
	for _, nic := range v.owned(owner, typeNetworkInterface) {
		subnet := nic.out().String("subnetId")
		if slices.ContainsFunc(subnets, func(s *Object) bool { return s.ID == subnet }) {
			standing[subnet] = nic
		} else {
			v.del(nic.Type, nic.ID)
		}
	}
	for _, subnet := range subnets {
		if nic := standing[subnet.ID]; nic != nil {
			v.edit(nic.Type, nic.ID).Outputs["securityGroups"] = list(groups)
			continue
		}
		if _, err := v.attach(owner, subnet, description, groups); err != nil {
			return err
		}
	}
	return nil
}

// digits makes hexadecimal digits that are the same for the same seed.
func digits(seed string, n int) string {
	sum := sha256.Sum256([]byte(seed))
	return hex.EncodeToString(sum[:])[:n]
}
