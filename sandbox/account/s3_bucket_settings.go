package account

import (
	"fmt"
	"slices"
	"strings"
)

// bucketSettings are resources that each set one thing of a bucket. Their ID is
// the bucket's name, so a bucket has one of each.
var bucketSettings = []string{
	typeBucketEncryption, typeBucketLifecycle, typeBucketPolicy, typeBucketPublicAccess, typeBucketVersioning,
}

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/s3/bucket_versioning.go
var _ = register(typeBucketVersioning, rules{
	forceNew:   []string{"bucket", "expectedBucketOwner"},
	computed:   []string{"versioningConfiguration.mfaDelete"},
	unmodelled: []string{"expectedBucketOwner", "mfa", "versioningConfiguration.mfaDelete"},
	check: func(in Props) []Failure {
		return inside("versioningConfiguration", oneOf(in.Props("versioningConfiguration"), "status", "Enabled", "Suspended", "Disabled"))
	},
	create: setBucket,
	update: func(_ *view, old, o *Object) error {
		was, is := old.in().Props("versioningConfiguration").String("status"), o.in().Props("versioningConfiguration").String("status")
		if is == "Disabled" && was != is {
			return refuse("InvalidBucketState", "the versioning of bucket %s can be suspended, but not be disabled any more", o.ID)
		}
		return nil
	},
})

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/s3/bucket_server_side_encryption_configuration.go
var _ = register(typeBucketEncryption, rules{
	forceNew:   []string{"bucket", "expectedBucketOwner"},
	sets:       []string{"rules"},
	unmodelled: []string{"expectedBucketOwner"},
	check:      checkBucketEncryption,
	create: func(v *view, o *Object) error {
		if err := setBucket(v, o); err != nil {
			return err
		}
		return v.checkBucketKey(o)
	},
	update: func(v *view, _, o *Object) error { return v.checkBucketKey(o) },
})

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/s3/bucket_public_access_block.go
var _ = register(typeBucketPublicAccess, rules{
	defaults: map[string]any{"blockPublicAcls": false, "blockPublicPolicy": false, "ignorePublicAcls": false, "restrictPublicBuckets": false},
	forceNew: []string{"bucket"},
	create:   setBucket,
})

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/s3/bucket_policy.go
var _ = register(typeBucketPolicy, rules{
	forceNew:  []string{"bucket"},
	documents: []string{"policy"},
	create: func(v *view, o *Object) error {
		if err := setBucket(v, o); err != nil {
			return err
		}
		return v.checkBucketPolicy(o)
	},
	update: func(v *view, _, o *Object) error { return v.checkBucketPolicy(o) },
})

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/s3/bucket_lifecycle_configuration.go
var _ = register(typeBucketLifecycle, rules{
	forceNew:   []string{"bucket", "expectedBucketOwner"},
	computed:   []string{"transitionDefaultMinimumObjectSize"},
	unmodelled: []string{"expectedBucketOwner", "timeouts"},
	check:      checkBucketLifecycle,
	create: func(v *view, o *Object) error {
		o.Outputs["transitionDefaultMinimumObjectSize"] = o.in().StringOr("transitionDefaultMinimumObjectSize", "all_storage_classes_128K")
		return setBucket(v, o)
	},
})

// setBucket is the creation of every setting.
func setBucket(v *view, o *Object) error {
	bucket, err := v.bucketOf(o.in().String("bucket"), o.Region)
	if err != nil {
		return err
	}
	o.ID = bucket.ID
	return nil
}

// inside prefixes failures with the object that they are in.
func inside(path string, failures []Failure) []Failure {
	for i := range failures {
		failures[i].Property = path + "." + failures[i].Property
	}
	return failures
}

func checkBucketEncryption(in Props) []Failure {
	var failures []Failure
	if rules, known := in["rules"].([]any); known && len(rules) != 1 {
		failures = append(failures, Failure{Property: "rules", Reason: fmt.Sprintf("there are %d, S3 takes exactly one", len(rules))})
	}
	for _, rule := range in.List("rules") {
		by := rule.Props("applyServerSideEncryptionByDefault")
		at := "rules[0].applyServerSideEncryptionByDefault"
		failures = append(failures, inside(at, oneOf(by, "sseAlgorithm", "AES256", "aws:kms", "aws:kms:dsse"))...)
		if by.Has("kmsMasterKeyId") && by["sseAlgorithm"] == "AES256" {
			failures = append(failures, Failure{Property: at + ".kmsMasterKeyId", Reason: `is only for the algorithm "aws:kms"`})
		}
	}
	return failures
}

func (v *view) checkBucketKey(o *Object) error {
	for _, rule := range o.in().List("rules") {
		key := rule.Props("applyServerSideEncryptionByDefault").String("kmsMasterKeyId")
		if key != "" && v.keyOf(key, o.Region) == nil {
			return missingReference("KMS.NotFoundException", "the KMS key %q does not exist in %s", key, o.Region)
		}
	}
	return nil
}

func checkBucketLifecycle(in Props) []Failure {
	failures := oneOf(in, "transitionDefaultMinimumObjectSize", "all_storage_classes_128K", "varies_by_storage_class")
	ids := map[string]bool{}
	for i, rule := range in.List("rules") {
		at := fmt.Sprintf("rules[%d]", i)
		failures = append(failures, inside(at, oneOf(rule, "status", "Enabled", "Disabled"))...)
		switch id, ok := rule["id"].(string); {
		case ok && (id == "" || len(id) > 255):
			failures = append(failures, Failure{Property: at + ".id", Reason: "must have 1 to 255 characters"})
		case ok && ids[id]:
			failures = append(failures, Failure{Property: at + ".id", Reason: fmt.Sprintf("%q is there twice: rules have different IDs", id)})
		default:
			ids[id] = ok
		}
		actions := []string{"abortIncompleteMultipartUpload", "expiration", "noncurrentVersionExpiration", "noncurrentVersionTransitions", "transitions"}
		if !slices.ContainsFunc(actions, rule.Has) {
			failures = append(failures, Failure{Property: at, Reason: "has no action: give one of " + strings.Join(actions, ", ")})
		}
	}
	return failures
}

var bucketPolicy = policyKind{code: "MalformedPolicy", principal: true, resource: true}

// checkBucketPolicy reads the policy as S3 does. Requests are not held to it.
func (v *view) checkBucketPolicy(o *Object) error {
	statements, err := v.policyStatements(o.in().String("policy"), bucketPolicy)
	if err != nil {
		return err
	}
	own := bucketARN(o.ID)
	block := v.get(typeBucketPublicAccess, o.ID)
	for _, s := range statements {
		for _, resource := range s.resources {
			if resource != own && !strings.HasPrefix(resource, own+"/") {
				return refuse("MalformedPolicy", "policy has invalid resource: %s is not in bucket %s", resource, o.ID)
			}
		}
		public := s.allow && slices.Contains(s.principals["AWS"], "*")
		if public && block != nil && block.in().Bool("blockPublicPolicy", false) {
			return refuse("AccessDenied", "public policies are blocked by the BlockPublicPolicy setting of bucket %s", o.ID)
		}
	}
	return nil
}

// versioned says whether a bucket keeps what is written over.
func (v *view) versioned(bucket string) bool {
	versioning := v.get(typeBucketVersioning, bucket)
	return versioning != nil && versioning.in().Props("versioningConfiguration").String("status") == "Enabled"
}
