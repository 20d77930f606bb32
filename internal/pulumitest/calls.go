package pulumitest

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Call answers an invoke; args are in plain Go values.
type Call func(args map[string]any) (resource.PropertyMap, error)

// The surroundings in which programs under test run.
const (
	Account   = "123456789012"
	Region    = "eu-central-1"
	Partition = "aws"
)

// calls answers the functions that the programs use.
var calls = map[string]Call{
	"aws:index/getCallerIdentity:getCallerIdentity": answer(map[string]any{
		"accountId": Account, "arn": "arn:aws:iam::" + Account + ":user/test", "id": Account, "userId": "AIDATEST",
	}),
	"aws:index/getPartition:getPartition": answer(map[string]any{
		"id": Partition, "partition": Partition, "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws",
	}),
	"aws:index/getRegion:getRegion": answer(map[string]any{
		"id": Region, "name": Region, "endpoint": "ec2." + Region + ".amazonaws.com", "description": "Europe (Frankfurt)",
	}),
	"aws:index/getAvailabilityZones:getAvailabilityZones": answer(map[string]any{
		"id": Region, "names": []any{Region + "a", Region + "b", Region + "c"},
		"zoneIds": []any{"euc1-az2", "euc1-az3", "euc1-az1"}, "groupNames": []any{Region},
	}),
}

func answer(result map[string]any) Call {
	return func(map[string]any) (resource.PropertyMap, error) {
		if len(result) == 0 {
			return nil, fmt.Errorf("the table has no answer")
		}
		return resource.NewPropertyMapFromMap(result), nil
	}
}
