package account

import (
	"context"
	"fmt"
)

// invoke answers one data source.
type invoke func(a *Account, region string, args Props) (map[string]any, error)

var invokes = map[string]invoke{
	"aws:index/getPartition:getPartition":                 getPartition,
	"aws:index/getRegion:getRegion":                       getRegion,
	"aws:index/getCallerIdentity:getCallerIdentity":       getCallerIdentity,
	"aws:index/getAvailabilityZones:getAvailabilityZones": getAvailabilityZones,
}

// Invoke answers a data source by its Pulumi token.
func (a *Account) Invoke(ctx context.Context, token, region string, args map[string]any) (map[string]any, error) {
	f, ok := invokes[token]
	if !ok {
		return nil, fmt.Errorf("data source %q is not one that the simulated AWS account knows: it knows %q", token, sorted(invokes))
	}
	if err := a.faults.strike(ctx, token, OpInvoke); err != nil {
		return nil, err
	}
	if err := checkRegion(region); err != nil {
		return nil, err
	}
	return f(a, region, args)
}

func getPartition(*Account, string, Props) (map[string]any, error) {
	return map[string]any{
		"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws",
	}, nil
}

func getRegion(_ *Account, current string, args Props) (map[string]any, error) {
	name := args.StringOr("name", current)
	if err := checkRegion(name); err != nil {
		return nil, err
	}
	return map[string]any{
		"id": name, "name": name, "description": regions[name].description, "endpoint": "ec2." + name + ".amazonaws.com",
	}, nil
}

func getCallerIdentity(a *Account, _ string, _ Props) (map[string]any, error) {
	operator, ok := a.Identity("sandbox-operator")
	if !ok {
		return nil, fmt.Errorf("the simulated account has no operator")
	}
	return map[string]any{
		"id": AccountID, "accountId": AccountID, "arn": operator.ARN, "userId": operator.UserID,
	}, nil
}

func getAvailabilityZones(_ *Account, region string, args Props) (map[string]any, error) {
	if state := args.StringOr("state", "available"); state != "available" {
		return nil, refuse("InvalidParameterValue", "the simulated account has only available zones, none are %q", state)
	}
	if args.Has("filters") || args.Has("excludeNames") || args.Has("excludeZoneIds") {
		return nil, refuse("InvalidParameterValue", "the simulated account does not filter availability zones")
	}
	names := zones(region)
	var ids []string
	for _, name := range names {
		ids = append(ids, zoneIDOf(region, name))
	}
	return map[string]any{
		"id": region, "names": list(names), "zoneIds": list(ids), "groupNames": list([]string{region}), "state": "available",
	}, nil
}
