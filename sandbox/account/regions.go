package account

import (
	"fmt"
	"strings"
)

// region is an AWS region as far as the account models it.
type region struct {
	description string
	zones       string // letters of its availability zones
	zoneID      string // prefix of its zone IDs
	// nlbZone is the hosted zone of its network load balancers' names, see
	// https://docs.aws.amazon.com/general/latest/gr/elb.html
	nlbZone string
}

var regions = map[string]region{
	"us-east-1":      {"US East (N. Virginia)", "abcdef", "use1", "Z26RNL4JYFTOTI"},
	"us-east-2":      {"US East (Ohio)", "abc", "use2", "ZLMOA37VPKANP"},
	"us-west-1":      {"US West (N. California)", "ac", "usw1", "Z24FKFUX50B4VW"},
	"us-west-2":      {"US West (Oregon)", "abcd", "usw2", "Z18D5FSROUN65G"},
	"ca-central-1":   {"Canada (Central)", "abd", "cac1", "Z2EPGBW3API2WT"},
	"eu-central-1":   {"Europe (Frankfurt)", "abc", "euc1", "Z3F0SRJ5LGBH90"},
	"eu-west-1":      {"Europe (Ireland)", "abc", "euw1", "Z2IFOLAFXWLO4F"},
	"eu-west-2":      {"Europe (London)", "abc", "euw2", "ZD4D7Y8KGAS4G"},
	"eu-west-3":      {"Europe (Paris)", "abc", "euw3", "Z1CMS0P5QUZ6D5"},
	"eu-north-1":     {"Europe (Stockholm)", "abc", "eun1", "Z1UDT6IFJ4EJM"},
	"eu-south-1":     {"Europe (Milan)", "abc", "eus1", "Z23146JA1KNAFP"},
	"ap-northeast-1": {"Asia Pacific (Tokyo)", "acd", "apne1", "Z31USIVHYNEOWT"},
	"ap-northeast-2": {"Asia Pacific (Seoul)", "abcd", "apne2", "ZIBE1TIR4HY56"},
	"ap-south-1":     {"Asia Pacific (Mumbai)", "abc", "aps1", "ZVDDRBQ08TROA"},
	"ap-southeast-1": {"Asia Pacific (Singapore)", "abc", "apse1", "ZKVM4W9LS7TM"},
	"ap-southeast-2": {"Asia Pacific (Sydney)", "abc", "apse2", "ZCT6FZBF4DROD"},
	"sa-east-1":      {"South America (São Paulo)", "abc", "sae1", "ZTK26PT1VY4CU"},
}

// Regions returns the names of the regions that the account has, sorted.
func Regions() []string { return sorted(regions) }

func checkRegion(name string) error {
	if _, ok := regions[name]; !ok {
		return refuse("UnrecognizedRegion", "region %q is not one that the simulated account has: expected one of %s", name, strings.Join(sorted(regions), ", "))
	}
	return nil
}

// zones returns the names of a region's availability zones.
func zones(regionName string) []string {
	var out []string
	for _, letter := range regions[regionName].zones {
		out = append(out, regionName+string(letter))
	}
	return out
}

// zoneIDOf returns the ID of an availability zone. AWS deals the IDs out
// differently to each account; here zone a is az1 and so on.
func zoneIDOf(regionName, zone string) string {
	for i, name := range zones(regionName) {
		if name == zone {
			return fmt.Sprintf("%s-az%d", regions[regionName].zoneID, i+1)
		}
	}
	return ""
}
