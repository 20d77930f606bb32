package account

// Tokens of the types that other concerns refer to.
const (
	typeRouteTable            = "aws:ec2/routeTable:RouteTable"
	typeRouteTableAssociation = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	typeSecurityGroup         = "aws:ec2/securityGroup:SecurityGroup"
	typeDefaultSecurityGroup  = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	typeSecurityGroupRule     = "aws:ec2/securityGroupRule:SecurityGroupRule"
	typeIngressRule           = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	typeEgressRule            = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	typeRoute                 = "aws:ec2/route:Route"
	typeAddress               = "aws:ec2/eip:Eip"
	typeNATGateway            = "aws:ec2/natGateway:NatGateway"
	typeFlowLog               = "aws:ec2/flowLog:FlowLog"
	typeInternetGateway       = "aws:ec2/internetGateway:InternetGateway"
	typeVPCEndpoint           = "aws:ec2/vpcEndpoint:VpcEndpoint"
	typePeering               = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"
	typePeeringAccepter       = "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter"
	typePeeringOptions        = "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions"
	typeLaunchTemplate        = "aws:ec2/launchTemplate:LaunchTemplate"
	typeCluster               = "aws:eks/cluster:Cluster"
	typeNodeGroup             = "aws:eks/nodeGroup:NodeGroup"
	typeAddon                 = "aws:eks/addon:Addon"

	typeVPNEndpoint      = "aws:ec2clientvpn/endpoint:Endpoint"
	typeVPNAssociation   = "aws:ec2clientvpn/networkAssociation:NetworkAssociation"
	typeVPNAuthorization = "aws:ec2clientvpn/authorizationRule:AuthorizationRule"
	typeVPNRoute         = "aws:ec2clientvpn/route:Route"

	typeCertificate = "aws:acm/certificate:Certificate"

	typeBucket             = "aws:s3/bucketV2:BucketV2"
	typeBucketEncryption   = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	typeBucketLifecycle    = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	typeBucketPolicy       = "aws:s3/bucketPolicy:BucketPolicy"
	typeBucketPublicAccess = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	typeBucketVersioning   = "aws:s3/bucketVersioningV2:BucketVersioningV2"

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

	typeAccessPoint = "aws:efs/accessPoint:AccessPoint"
	typeFileSystem  = "aws:efs/fileSystem:FileSystem"
	typeMountTarget = "aws:efs/mountTarget:MountTarget"

	typeSecret = "aws:secretsmanager/secret:Secret"
)
