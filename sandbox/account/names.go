package account

// Tokens of the types that other concerns refer to.
const (
	typeRouteTable            = "aws:ec2/routeTable:RouteTable"
	typeRouteTableAssociation = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	typeSecurityGroup         = "aws:ec2/securityGroup:SecurityGroup"
	typeInternetGateway       = "aws:ec2/internetGateway:InternetGateway"
	typeVPCEndpoint           = "aws:ec2/vpcEndpoint:VpcEndpoint"
	typePeering               = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"
	typeCluster               = "aws:eks/cluster:Cluster"
)
