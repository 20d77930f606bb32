package account

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_default_security_group.go
//
// The resource adopts the group that AWS made with the VPC. Deleting it leaves
// the group as it is.
var _ = register(typeDefaultSecurityGroup, rules{
	defaults: map[string]any{"revokeRulesOnDelete": false},
	forceNew: []string{"vpcId"},
	computed: []string{"vpcId"},
	sets:     []string{"egress", "egress.securityGroups", "ingress", "ingress.securityGroups"},
	check:    checkDefaultSecurityGroup,
	create:   createDefaultSecurityGroup,
	update:   updateDefaultSecurityGroup,
	remove:   removeDefaultSecurityGroup,
	read:     readInlineRules,
})

func checkDefaultSecurityGroup(in Props) []Failure {
	failures := checkInlineRules(in)
	if !in.Has("vpcId") {
		failures = append(failures, Failure{Property: "vpcId", Reason: "is required: the simulated account has no default VPC"})
	}
	return failures
}

func createDefaultSecurityGroup(v *view, o *Object) error {
	vpc, err := v.vpcOf(o.in().String("vpcId"), o.Region)
	if err != nil {
		return err
	}
	group, err := v.securityGroupOf(vpc.out().String("defaultSecurityGroupId"), o.Region)
	if err != nil {
		return err
	}
	o.ID = group.ID
	for _, name := range []string{"arn", "description", "name", "vpcId"} {
		o.Outputs[name] = group.out().String(name)
	}
	o.Outputs["namePrefix"] = ""
	o.Outputs["ownerId"] = AccountID
	v.revokeAll(group.ID)
	if err := v.setInlineRules(o, group); err != nil {
		return err
	}
	readSecurityGroup(v, o)
	return nil
}

// updateDefaultSecurityGroup takes rules away that the program no longer gives:
// unlike with another group, none given means that there are none.
func updateDefaultSecurityGroup(v *view, _, o *Object) error {
	group, err := v.securityGroupOf(o.ID, o.Region)
	if err != nil {
		return err
	}
	for _, direction := range directions {
		if o.in().Has(direction) {
			continue
		}
		for _, p := range v.permissionsOf(group.ID, direction) {
			v.revoke(p)
		}
	}
	return v.setInlineRules(o, group)
}

func removeDefaultSecurityGroup(v *view, o *Object) error {
	group, err := v.securityGroupOf(o.ID, o.Region)
	if err != nil {
		return err
	}
	for _, p := range v.owned(o, typePermission) {
		v.edit(p.Type, p.ID).Owner = group.Owner
	}
	return nil
}
