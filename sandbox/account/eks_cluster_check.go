package account

import (
	"fmt"
	"regexp"
	"slices"
)

var clusterName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$`)

func checkCluster(in Props) []Failure {
	var failures []Failure
	if name, ok := in["name"].(string); ok && !clusterName.MatchString(name) {
		failures = append(failures, Failure{Property: "name", Reason: fmt.Sprintf(
			"%q is not a cluster name: expected at most 100 letters, digits, - and _, beginning with a letter or digit", name)})
	}
	failures = append(failures, checkAccessConfig(in)...)
	failures = append(failures, checkEncryption(in.Props("encryptionConfig"))...)
	failures = append(failures, eachOneOf(in, "enabledClusterLogTypes", "api", "audit", "authenticator", "controllerManager", "scheduler")...)
	failures = append(failures, within("upgradePolicy", oneOf(in.Props("upgradePolicy"), "supportType", "STANDARD", "EXTENDED"))...)
	return append(failures, checkClusterNetwork(in)...)
}

// checkAccessConfig lets only access entries in: the control planes know
// nothing of the aws-auth ConfigMap.
func checkAccessConfig(in Props) []Failure {
	config := in["accessConfig"]
	if _, unknown := config.(Unknown); unknown {
		return nil
	}
	mode := in.Props("accessConfig")["authenticationMode"]
	if _, unknown := mode.(Unknown); unknown || mode == "API" {
		return nil
	}
	return []Failure{{Property: "accessConfig.authenticationMode", Reason: `must be "API": the simulated AWS account knows access entries and no aws-auth ConfigMap, which is what AWS takes by default`}}
}

func checkEncryption(config Props) []Failure {
	var failures []Failure
	for i, resource := range config.Strings("resources") {
		if resource != "secrets" {
			failures = append(failures, Failure{Property: fmt.Sprintf("encryptionConfig.resources[%d]", i), Reason: `only "secrets" can be encrypted`})
		}
	}
	return failures
}

// encryptionTakenAway makes a new cluster where the encryption of an old one
// ends: AWS cannot turn it off.
func encryptionTakenAway(old, new Props) []string {
	if old.Has("encryptionConfig") && !new.Has("encryptionConfig") {
		return []string{"encryptionConfig"}
	}
	return nil
}

func eachOneOf(in Props, key string, allowed ...string) []Failure {
	var failures []Failure
	for i, item := range in.Strings(key) {
		if !slices.Contains(allowed, item) {
			failures = append(failures, Failure{Property: fmt.Sprintf("%s[%d]", key, i), Reason: fmt.Sprintf("%q is not allowed: expected one of %q", item, allowed)})
		}
	}
	return failures
}

// within puts the path of an object before the failures of its properties.
func within(path string, failures []Failure) []Failure {
	for i := range failures {
		failures[i].Property = path + "." + failures[i].Property
	}
	return failures
}
