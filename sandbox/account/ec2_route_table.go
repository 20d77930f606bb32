package account

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_route_table.go
//
// Routes are resources of their own here: inline ones would have to be taken
// out of both.
var _ = register(typeRouteTable, rules{
	forceNew:   []string{"vpcId"},
	computed:   []string{"propagatingVgws", "routes"},
	sets:       []string{"propagatingVgws", "routes"},
	unmodelled: []string{"propagatingVgws", "routes"},
	create:     createRouteTable,
	remove:     removeRouteTable,
	read:       readRouteTable,
})

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_route_table_association.go
var _ = register(typeRouteTableAssociation, rules{
	forceNew:   []string{"gatewayId", "subnetId"},
	unmodelled: []string{"gatewayId"},
	check:      checkRouteTableAssociation,
	create:     createRouteTableAssociation,
	update: func(v *view, _, o *Object) error {
		_, err := v.associationEnds(o)
		return err
	},
})

func createRouteTable(v *view, o *Object) error {
	if _, err := v.vpcOf(o.in().String("vpcId"), o.Region); err != nil {
		return err
	}
	o.ID = ec2ID("rtb")
	o.Outputs["arn"] = arn("ec2", o.Region, "route-table/"+o.ID)
	readRouteTable(v, o)
	return nil
}

// readRouteTable lists the table's routes, without the local one and those of
// endpoints, which the provider leaves out.
func readRouteTable(v *view, o *Object) {
	routes := []any{}
	for _, route := range v.routesOf(o.ID) {
		if route.Owner != "" {
			continue
		}
		item := map[string]any{"cidrBlock": route.out().String("destinationCidrBlock")}
		for _, target := range routeTargets {
			if id := route.out().String(target); id != "" {
				item[target] = id
			}
		}
		routes = append(routes, item)
	}
	o.Outputs["routes"] = routes
	o.Outputs["propagatingVgws"] = []any{}
	o.Outputs["ownerId"] = AccountID
}

func removeRouteTable(v *view, o *Object) error {
	if o.Owner != "" {
		return refuse("DependencyViolation", "the routeTable %q has dependencies and cannot be deleted: it is the main route table of VPC %q", o.ID, o.out().String("vpcId"))
	}
	association := v.first(typeRouteTableAssociation, func(other *Object) bool { return other.in().String("routeTableId") == o.ID })
	if association != nil {
		return refuse("DependencyViolation", "the routeTable %q has dependencies and cannot be deleted: %s associates it with subnet %s",
			o.ID, association.ID, association.in().String("subnetId"))
	}
	v.dropRoutes(o.ID)
	return nil
}

// dropRoutes takes the routes of a table away with it.
func (v *view) dropRoutes(tableID string) {
	for _, route := range v.routesOf(tableID) {
		v.del(route.Type, route.ID)
	}
}

// routeTableOf returns a route table that something refers to.
func (v *view) routeTableOf(id, region string) (*Object, error) {
	table := v.get(typeRouteTable, id)
	if table == nil || table.Region != region {
		return nil, missingReference("InvalidRouteTableID.NotFound", "the routeTable ID %q does not exist in %s", id, region)
	}
	return table, nil
}

func checkRouteTableAssociation(in Props) []Failure {
	if !in.Has("subnetId") {
		return []Failure{{Property: "subnetId", Reason: "is required: the simulated account associates route tables with subnets only"}}
	}
	return nil
}

func createRouteTableAssociation(v *view, o *Object) error {
	subnet, err := v.associationEnds(o)
	if err != nil {
		return err
	}
	if other := v.first(typeRouteTableAssociation, func(other *Object) bool { return other.in().String("subnetId") == subnet.ID }); other != nil {
		return refuse("Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association: subnet %q has %s with %s",
			o.in().String("routeTableId"), subnet.ID, other.ID, other.in().String("routeTableId"))
	}
	o.ID = ec2ID("rtbassoc")
	return nil
}

// associationEnds checks what an association joins and returns the subnet.
func (v *view) associationEnds(o *Object) (*Object, error) {
	table, err := v.routeTableOf(o.in().String("routeTableId"), o.Region)
	if err != nil {
		return nil, err
	}
	subnet, err := v.subnetOf(o.in().String("subnetId"), o.Region)
	if err != nil {
		return nil, err
	}
	if table.out().String("vpcId") != subnet.out().String("vpcId") {
		return nil, refuse("InvalidParameterValue", "route table %s and subnet %s belong to different networks", table.ID, subnet.ID)
	}
	return subnet, nil
}
