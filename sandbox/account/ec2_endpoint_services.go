package account

import (
	"fmt"
	"strings"
)

// endpointService is an AWS service that a VPC can have an endpoint for.
type endpointService struct {
	name string
	// gateway is set for the services that are reached over routes, and cidrs
	// are then what those routes lead to. AWS's own lists differ by region and
	// change; these stand for them.
	gateway bool
	cidrs   []string
}

// endpointServices are the services that clusters in private subnets use, see
// https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
var endpointServices = func() map[string]endpointService {
	all := map[string]endpointService{
		"s3":       {name: "s3", gateway: true, cidrs: []string{"198.19.0.0/20", "198.19.16.0/20"}},
		"dynamodb": {name: "dynamodb", gateway: true, cidrs: []string{"198.19.32.0/20"}},
	}
	for _, name := range []string{
		"acm-pca", "athena", "autoscaling", "cloudformation", "cloudtrail", "ec2", "ec2messages", "ecr.api", "ecr.dkr", "ecs",
		"ecs-agent", "ecs-telemetry", "eks", "eks-auth", "elasticfilesystem", "elasticloadbalancing", "events", "execute-api",
		"glue", "guardduty-data", "kinesis-firehose", "kinesis-streams", "kms", "lambda", "logs", "monitoring", "rds",
		"route53resolver", "secretsmanager", "sns", "sqs", "ssm", "ssmmessages", "states", "sts", "xray",
	} {
		all[name] = endpointService{name: name}
	}
	return all
}()

// endpointServiceOf finds a service by its full name, which holds the region.
func endpointServiceOf(serviceName, region string) (endpointService, error) {
	short, ok := strings.CutPrefix(serviceName, "com.amazonaws."+region+".")
	service, known := endpointServices[short]
	if !ok || !known {
		return endpointService{}, refuse("InvalidServiceName",
			"the VPC endpoint service %q does not exist: in %s the simulated account knows com.amazonaws.%s.<service> for %s",
			serviceName, region, region, strings.Join(sorted(endpointServices), ", "))
	}
	return service, nil
}

// domain is the public name of the service's API. ECR's registry has one of its
// own: https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
func (s endpointService) domain(region string) string {
	if s.name == "ecr.dkr" {
		return "*.dkr.ecr." + region + ".amazonaws.com"
	}
	words := strings.Split(s.name, ".")
	for i, j := 0, len(words)-1; i < j; i, j = i+1, j-1 {
		words[i], words[j] = words[j], words[i]
	}
	return fmt.Sprintf("%s.%s.amazonaws.com", strings.Join(words, "."), region)
}

// prefixListID is the ID of AWS's own list of a gateway service's networks.
func prefixListID(region, service string) string {
	return "pl-" + digits("prefix list "+region+" "+service, 8)
}

func knownPrefixList(region, id string) bool {
	for name, service := range endpointServices {
		if service.gateway && prefixListID(region, name) == id {
			return true
		}
	}
	return false
}
