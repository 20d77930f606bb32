package account

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/efs/file_system.go
var _ = register(typeFileSystem, rules{
	defaults:   map[string]any{"throughputMode": "bursting"},
	forceNew:   []string{"availabilityZoneName", "creationToken", "encrypted", "kmsKeyId", "performanceMode"},
	computed:   []string{"creationToken", "encrypted", "kmsKeyId", "performanceMode", "protection", "provisionedThroughputInMibps"},
	unmodelled: []string{"availabilityZoneName", "lifecyclePolicies", "protection", "provisionedThroughputInMibps"},
	check:      checkFileSystem,
	create:     createFileSystem,
	remove:     removeFileSystem,
	read: func(v *view, o *Object) {
		o.Outputs["numberOfMountTargets"] = float64(len(v.all(typeMountTarget, func(t *Object) bool { return t.in().String("fileSystemId") == o.ID })))
	},
})

func checkFileSystem(in Props) []Failure {
	failures := oneOf(in, "performanceMode", "generalPurpose", "maxIO")
	failures = append(failures, oneOf(in, "throughputMode", "bursting", "elastic", "provisioned")...)
	if in.String("throughputMode") == "provisioned" {
		failures = append(failures, Failure{Property: "throughputMode", Reason: `"provisioned" is not modelled by the simulated AWS account: use "bursting" or "elastic"`})
	}
	// https://docs.aws.amazon.com/efs/latest/ug/performance.html
	if in.String("throughputMode") == "elastic" && in.String("performanceMode") == "maxIO" {
		failures = append(failures, Failure{Property: "performanceMode", Reason: `"maxIO" is not possible where "throughputMode" is "elastic"`})
	}
	if in.Has("kmsKeyId") && in["encrypted"] == false {
		failures = append(failures, Failure{Property: "kmsKeyId", Reason: `needs "encrypted"`})
	}
	if token := in.String("creationToken"); len(token) > 64 {
		failures = append(failures, Failure{Property: "creationToken", Reason: fmt.Sprintf("has %d characters, AWS takes at most 64", len(token))})
	}
	return failures
}

func createFileSystem(v *view, o *Object) error {
	token := o.in().StringOr("creationToken", "pulumi-"+randomHex(26))
	if other := v.first(typeFileSystem, func(other *Object) bool {
		return other.Region == o.Region && other.out().String("creationToken") == token
	}); other != nil {
		return refuse("FileSystemAlreadyExists", "file system %q already exists with creation token %q", other.ID, token)
	}
	if key := o.in().String("kmsKeyId"); key != "" && v.keyOf(key, o.Region) == nil {
		return missingReference("ValidationException", "the KMS key %q does not exist in %s", key, o.Region)
	}
	o.ID = ec2ID("fs")
	o.Outputs["arn"] = arn("elasticfilesystem", o.Region, "file-system/"+o.ID)
	o.Outputs["creationToken"] = token
	o.Outputs["dnsName"] = o.ID + ".efs." + o.Region + ".amazonaws.com"
	o.Outputs["encrypted"] = o.in().Bool("encrypted", false)
	o.Outputs["kmsKeyId"] = o.in().String("kmsKeyId")
	o.Outputs["performanceMode"] = o.in().StringOr("performanceMode", "generalPurpose")
	o.Outputs["protection"] = map[string]any{"replicationOverwrite": "ENABLED"}
	o.Outputs["provisionedThroughputInMibps"] = 0.0
	o.Outputs["availabilityZoneId"], o.Outputs["availabilityZoneName"] = "", ""
	o.Outputs["name"] = o.in().Props("tags").String("Name")
	o.Outputs["numberOfMountTargets"] = 0.0
	o.Outputs["ownerId"] = AccountID
	o.Outputs["sizeInBytes"] = []any{map[string]any{"value": 6144.0, "valueInIa": 0.0, "valueInStandard": 6144.0}}
	return nil
}

// removeFileSystem refuses what is still mounted. Access points go with it, as by AWS.
func removeFileSystem(v *view, o *Object) error {
	if target := v.first(typeMountTarget, func(t *Object) bool { return t.in().String("fileSystemId") == o.ID }); target != nil {
		return refuse("FileSystemInUse", "the file system %s has the mount target %s: delete it first", o.ID, target.ID)
	}
	for _, point := range v.all(typeAccessPoint, func(p *Object) bool { return p.in().String("fileSystemId") == o.ID }) {
		v.del(point.Type, point.ID)
	}
	return nil
}

// fileSystemOf returns the file system of an ID.
func (v *view) fileSystemOf(id, region string) (*Object, error) {
	system := v.get(typeFileSystem, id)
	if system == nil || system.Region != region {
		return nil, missingReference("FileSystemNotFound", "the file system %q does not exist in %s", id, region)
	}
	return system, nil
}

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/efs/mount_target.go
var _ = register(typeMountTarget, rules{
	forceNew:   []string{"fileSystemId", "ipAddress", "subnetId"},
	computed:   []string{"ipAddress", "securityGroups"},
	sets:       []string{"securityGroups"},
	unmodelled: []string{"ipAddress"},
	// A zone has one mount target of a file system.
	deleteBeforeReplace: true,
	create:              createMountTarget,
	update: func(v *view, old, o *Object) error {
		if fmt.Sprint(old.in()["securityGroups"]) != fmt.Sprint(o.in()["securityGroups"]) {
			return refuse("NotModelled", "the simulated AWS account does not change the security groups of a mount target: replace %s", o.ID)
		}
		return nil
	},
	remove: func(v *view, o *Object) error {
		v.dropOwned(o, typeNetworkInterface)
		return nil
	},
})

func createMountTarget(v *view, o *Object) error {
	system, err := v.fileSystemOf(o.in().String("fileSystemId"), o.Region)
	if err != nil {
		return err
	}
	subnet, err := v.subnetOf(o.in().String("subnetId"), o.Region)
	if err != nil {
		return err
	}
	zone := subnet.out().String("availabilityZone")
	vpc := subnet.out().String("vpcId")
	for _, other := range v.all(typeMountTarget, func(t *Object) bool { return t.in().String("fileSystemId") == system.ID }) {
		if other.out().String("availabilityZoneName") == zone {
			return refuse("MountTargetConflict", "the file system %s has the mount target %s in zone %s already", system.ID, other.ID, zone)
		}
		if s := v.get(typeSubnet, other.in().String("subnetId")); s != nil && s.out().String("vpcId") != vpc {
			return refuse("MountTargetConflict", "the mount targets of %s are in network %s, and subnet %s is in %s", system.ID, s.out().String("vpcId"), subnet.ID, vpc)
		}
	}
	groups := o.in().Strings("securityGroups")
	o.ID = ec2ID("fsmt")
	nic, err := v.attach(o, subnet, "EFS mount target for "+system.ID+" ("+o.ID+")", groups)
	if err != nil {
		return err
	}
	o.Outputs["availabilityZoneId"] = subnet.out().String("availabilityZoneId")
	o.Outputs["availabilityZoneName"] = zone
	o.Outputs["dnsName"] = system.out().String("dnsName")
	o.Outputs["fileSystemArn"] = system.out().String("arn")
	o.Outputs["ipAddress"] = nic.out().String("privateIp")
	o.Outputs["mountTargetDnsName"] = zone + "." + system.out().String("dnsName")
	o.Outputs["networkInterfaceId"] = nic.ID
	o.Outputs["ownerId"] = AccountID
	o.Outputs["securityGroups"] = nic.Outputs["securityGroups"]
	return nil
}

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/efs/access_point.go
var _ = register(typeAccessPoint, rules{
	forceNew: []string{"fileSystemId", "posixUser", "rootDirectory"},
	computed: []string{"rootDirectory", "rootDirectory.path"},
	check:    checkAccessPoint,
	create: func(v *view, o *Object) error {
		system, err := v.fileSystemOf(o.in().String("fileSystemId"), o.Region)
		if err != nil {
			return err
		}
		o.ID = ec2ID("fsap")
		o.Outputs["arn"] = arn("elasticfilesystem", o.Region, "access-point/"+o.ID)
		o.Outputs["fileSystemArn"] = system.out().String("arn")
		o.Outputs["ownerId"] = AccountID
		if !o.in().Has("rootDirectory") {
			o.Outputs["rootDirectory"] = map[string]any{"path": "/"}
		}
		return nil
	},
})

var modeForm = regexp.MustCompile(`^[0-7]{3,4}$`)

// checkAccessPoint holds what https://docs.aws.amazon.com/efs/latest/ug/API_RootDirectory.html says.
func checkAccessPoint(in Props) []Failure {
	var failures []Failure
	root := in.Props("rootDirectory")
	if path := root.String("path"); path != "" && (!strings.HasPrefix(path, "/") || len(path) > 100 || strings.Count(path, "/") > 4) {
		failures = append(failures, Failure{Property: "rootDirectory.path",
			Reason: fmt.Sprintf("%q must begin with a slash, have at most 100 characters and at most four folders", path)})
	}
	if mode := root.Props("creationInfo").String("permissions"); mode != "" && !modeForm.MatchString(mode) {
		failures = append(failures, Failure{Property: "rootDirectory.creationInfo.permissions", Reason: strconv.Quote(mode) + " are no octal permissions"})
	}
	return failures
}
