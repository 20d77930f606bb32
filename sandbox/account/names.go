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

	typeInstanceProfile      = "aws:iam/instanceProfile:InstanceProfile"
	typePolicy               = "aws:iam/policy:Policy"
	typeRole                 = "aws:iam/role:Role"
	typeRolePolicy           = "aws:iam/rolePolicy:RolePolicy"
	typeRolePolicyAttachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"

	typeKey      = "aws:kms/key:Key"
	typeKeyAlias = "aws:kms/alias:Alias"
	typeLogGroup = "aws:cloudwatch/logGroup:LogGroup"

	typeListener     = "aws:lb/listener:Listener"
	typeLoadBalancer = "aws:lb/loadBalancer:LoadBalancer"
	typeTargetGroup  = "aws:lb/targetGroup:TargetGroup"

	typeRecord          = "aws:route53/record:Record"
	typeZone            = "aws:route53/zone:Zone"
	typeZoneAssociation = "aws:route53/zoneAssociation:ZoneAssociation"
)
