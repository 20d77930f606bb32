package account

import (
	"fmt"
	"strings"
)

// A launch template is data that something else launches from, so most of its
// properties are kept as they are. Refused are those that would decide where a
// node's interfaces stand or what it runs.
//
// https://github.com/hashicorp/terraform-provider-aws/blob/v5.100.0/internal/service/ec2/ec2_launch_template.go
var _ = register(typeLaunchTemplate, rules{
	name:     &autoname{property: "name", max: 125},
	forceNew: []string{"name", "namePrefix"},
	computed: append([]string{"defaultVersion", "name", "namePrefix"}, metadataOptions...),
	sets:     []string{"securityGroupNames", "vpcSecurityGroupIds"},
	unmodelled: []string{
		"elasticGpuSpecifications", "elasticInferenceAccelerator", "imageId", "instanceRequirements", "kernelId", "licenseSpecifications",
		"networkInterfaces", "ramDiskId", "securityGroupNames",
	},
	check:  checkLaunchTemplate,
	create: createLaunchTemplate,
	update: updateLaunchTemplate,
	plan:   planLaunchTemplate,
})

// metadataOptions are filled in by AWS where the program leaves them out.
var metadataOptions = []string{
	"metadataOptions.httpEndpoint", "metadataOptions.httpProtocolIpv6", "metadataOptions.httpPutResponseHopLimit",
	"metadataOptions.httpTokens", "metadataOptions.instanceMetadataTags",
}

func checkLaunchTemplate(in Props) []Failure {
	var failures []Failure
	if in.Has("name") && in.Has("namePrefix") {
		failures = append(failures, Failure{Property: "namePrefix", Reason: `cannot be given together with "name"`})
	}
	if in.Has("defaultVersion") && in.Has("updateDefaultVersion") {
		failures = append(failures, Failure{Property: "defaultVersion", Reason: `cannot be given together with "updateDefaultVersion"`})
	}
	failures = append(failures, longest(in, "name", 125)...)
	failures = append(failures, longest(in, "namePrefix", 125-uniqueSuffix)...)
	failures = append(failures, longest(in, "description", 255)...)
	for i, device := range in.List("blockDeviceMappings") {
		failures = append(failures, within(fmt.Sprintf("blockDeviceMappings[%d].ebs", i), checkVolume(device.Props("ebs")))...)
	}
	for i, specification := range in.List("tagSpecifications") {
		path := fmt.Sprintf("tagSpecifications[%d]", i)
		failures = append(failures, within(path, oneOf(specification, "resourceType", "instance", "volume", "network-interface", "spot-instances-request", "elastic-gpu"))...)
		failures = append(failures, within(path, checkTags(specification["tags"]))...)
	}
	options := in.Props("metadataOptions")
	failures = append(failures, within("metadataOptions", oneOf(options, "httpEndpoint", "enabled", "disabled"))...)
	failures = append(failures, within("metadataOptions", oneOf(options, "httpTokens", "optional", "required"))...)
	if n, ok := options["httpPutResponseHopLimit"].(float64); ok && (n < 1 || n > 64) {
		failures = append(failures, Failure{Property: "metadataOptions.httpPutResponseHopLimit", Reason: fmt.Sprintf("%v is out of range: expected 1 to 64", n)})
	}
	return failures
}

func checkVolume(ebs Props) []Failure {
	failures := oneOf(ebs, "volumeType", "standard", "io1", "io2", "gp2", "gp3", "sc1", "st1")
	// Booleans of a launch template are strings, because "not given" means
	// something else than "false".
	for _, key := range []string{"encrypted", "deleteOnTermination"} {
		failures = append(failures, oneOf(ebs, key, "true", "false")...)
	}
	if n, ok := ebs["volumeSize"].(float64); ok && (n < 1 || n > 65536) {
		failures = append(failures, Failure{Property: "volumeSize", Reason: fmt.Sprintf("%v is out of range: expected 1 to 65536 GiB", n)})
	}
	return failures
}

func createLaunchTemplate(v *view, o *Object) error {
	name := o.in().String("name")
	if name == "" {
		name = o.in().StringOr("namePrefix", "terraform-") + uniqueID(o.Created)
	}
	if v.first(typeLaunchTemplate, func(other *Object) bool { return other.Region == o.Region && other.out().String("name") == name }) != nil {
		return refuse("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use: %s", name)
	}
	o.ID = ec2ID("lt")
	o.Outputs["arn"] = arn("ec2", o.Region, "launch-template/"+o.ID)
	o.Outputs["name"] = name
	o.Outputs["latestVersion"] = 1.0
	o.Outputs["defaultVersion"] = 1.0
	completeMetadataOptions(o)
	return nil
}

// updateLaunchTemplate makes a new version of the template where what it
// launches changes; a change of the template's own tags makes none.
func updateLaunchTemplate(_ *view, old, o *Object) error {
	latest, standard := old.out().Int("latestVersion", 1), old.out().Int("defaultVersion", 1)
	if launchesOtherwise(old.in(), o.in()) {
		latest++
	}
	if o.in().Bool("updateDefaultVersion", false) {
		standard = latest
	}
	standard = o.in().Int("defaultVersion", standard)
	if standard < 1 || standard > latest {
		return refuse("InvalidLaunchTemplateId.VersionNotFound", "launch template %q has no version %d to be the default: the latest is %d", o.ID, standard, latest)
	}
	o.Outputs["latestVersion"] = float64(latest)
	o.Outputs["defaultVersion"] = float64(standard)
	completeMetadataOptions(o)
	return nil
}

// planLaunchTemplate lets a preview see that what uses the latest version will
// change with it.
func planLaunchTemplate(old, inputs, planned Props) {
	if !launchesOtherwise(old, inputs) {
		return
	}
	planned["latestVersion"] = Unknown{}
	if inputs.Bool("updateDefaultVersion", false) {
		planned["defaultVersion"] = Unknown{}
	}
}

// launchesOtherwise compares what a template launches, before and after.
func launchesOtherwise(before, after Props) bool {
	t := registry[typeLaunchTemplate]
	for key := range t.shape.Inputs {
		switch key {
		case "defaultVersion", "name", "namePrefix", "tags", "updateDefaultVersion": // the template itself
		default:
			if len(t.compare(key, before[key], after[key])) > 0 {
				return true
			}
		}
	}
	return false
}

func completeMetadataOptions(o *Object) {
	given := o.in().Props("metadataOptions")
	if given == nil {
		return
	}
	options := map[string]any{
		"httpEndpoint": "enabled", "httpProtocolIpv6": "", "httpPutResponseHopLimit": 1.0, "httpTokens": "optional", "instanceMetadataTags": "",
	}
	for key, value := range given {
		if !strings.HasPrefix(key, "__") {
			options[key] = value
		}
	}
	o.Outputs["metadataOptions"] = options
}
