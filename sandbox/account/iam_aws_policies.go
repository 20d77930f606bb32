package account

// awsPolicies are the policies that AWS manages, as far as the account knows
// them, by what follows "arn:aws:iam::aws:policy/" in their ARNs:
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
var awsPolicies = map[string]bool{
	"AdministratorAccess":                                  true,
	"AmazonEC2ContainerRegistryPowerUser":                  true,
	"AmazonEC2ContainerRegistryPullOnly":                   true,
	"AmazonEC2ContainerRegistryReadOnly":                   true,
	"AmazonEKSBlockStoragePolicy":                          true,
	"AmazonEKSClusterPolicy":                               true,
	"AmazonEKSComputePolicy":                               true,
	"AmazonEKSFargatePodExecutionRolePolicy":               true,
	"AmazonEKSLoadBalancingPolicy":                         true,
	"AmazonEKSLocalOutpostClusterPolicy":                   true,
	"AmazonEKSNetworkingPolicy":                            true,
	"AmazonEKSServicePolicy":                               true,
	"AmazonEKSVPCResourceController":                       true,
	"AmazonEKSWorkerNodeMinimalPolicy":                     true,
	"AmazonEKSWorkerNodePolicy":                            true,
	"AmazonEKS_CNI_Policy":                                 true,
	"AmazonS3FullAccess":                                   true,
	"AmazonS3ReadOnlyAccess":                               true,
	"AmazonSSMManagedInstanceCore":                         true,
	"CloudWatchAgentServerPolicy":                          true,
	"PowerUserAccess":                                      true,
	"ReadOnlyAccess":                                       true,
	"SecurityAudit":                                        true,
	"SecretsManagerReadWrite":                              true,
	"service-role/AmazonEBSCSIDriverPolicy":                true,
	"service-role/AmazonEC2RoleforSSM":                     true,
	"service-role/AmazonEFSCSIDriverPolicy":                true,
	"service-role/AWSLambdaBasicExecutionRole":             true,
	"service-role/AmazonS3ObjectLambdaExecutionRolePolicy": true,
}
