package account

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/s3/bucket.go
//
// What a bucket is set to are resources of their own, see s3_bucket_settings.go;
// its objects are in s3_object.go.
var _ = register(typeBucket, rules{
	name:     &autoname{property: "bucket", max: 63},
	defaults: map[string]any{"forceDestroy": false},
	forceNew: []string{"bucket", "bucketPrefix", "objectLockEnabled"},
	computed: []string{"bucket"},
	unmodelled: []string{
		"accelerationStatus", "acl", "bucketPrefix", "corsRules", "grants", "lifecycleRules", "loggings", "objectLockConfiguration",
		"objectLockEnabled", "policy", "replicationConfigurations", "requestPayer", "serverSideEncryptionConfigurations", "versionings",
		"websites",
	},
	check:  checkBucket,
	create: createBucket,
	remove: removeBucket,
})

var bucketForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// checkBucket holds names to
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func checkBucket(in Props) []Failure {
	name, ok := in["bucket"].(string)
	if !ok {
		return nil
	}
	_, notAnAddress := netip.ParseAddr(name)
	reserved := []string{"xn--", "sthree-", "amzn-s3-demo-"}
	endings := []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3"}
	if !bucketForm.MatchString(name) || strings.Contains(name, "..") || notAnAddress == nil ||
		slices.ContainsFunc(reserved, func(p string) bool { return strings.HasPrefix(name, p) }) ||
		slices.ContainsFunc(endings, func(s string) bool { return strings.HasSuffix(name, s) }) {
		return []Failure{{Property: "bucket", Reason: fmt.Sprintf("%q is no name of a bucket: expected 3 to 63 letters of lower case, digits, dots and hyphens that begin and end with a letter or digit", name)}}
	}
	return nil
}

// websiteZones are the hosted zones of the regions' website endpoints:
// https://docs.aws.amazon.com/general/latest/gr/s3.html
var websiteZones = map[string]string{
	"us-east-1": "Z3AQBSTGFYJSTF", "us-east-2": "Z2O1EMRO9K5GLX", "us-west-1": "Z2F56UZL2M1ACD", "us-west-2": "Z3BJ6K6RIION7M",
	"ca-central-1": "Z1QDHH18159H29", "eu-central-1": "Z21DNDUVLTQW6Q", "eu-west-1": "Z1BKCTXD74EZPE", "eu-west-2": "Z3GKZC51ZF0DB4",
	"eu-west-3": "Z3R1K369G5AVDG", "eu-north-1": "Z3BAZG2TWCNX0D", "eu-south-1": "Z30OZKI7KPW7MI", "ap-northeast-1": "Z2M4EHUR26P7ZW",
	"ap-northeast-2": "Z3W03O7B5YMIYP", "ap-south-1": "Z11RGJOFQNVJUP", "ap-southeast-1": "Z3O0J2DXBE1FTB",
	"ap-southeast-2": "Z1WCIGYICN2BYD", "sa-east-1": "Z7KQH4QJS55SO",
}

func createBucket(v *view, o *Object) error {
	o.ID = o.in().String("bucket")
	// A name stands for one bucket in all regions.
	if v.get(typeBucket, o.ID) != nil {
		return refuse("BucketAlreadyOwnedByYou", "your previous request to create the named bucket succeeded and you already own it: %s", o.ID)
	}
	o.Outputs["arn"] = bucketARN(o.ID)
	o.Outputs["bucketDomainName"] = o.ID + ".s3.amazonaws.com"
	o.Outputs["bucketRegionalDomainName"] = o.ID + ".s3." + o.Region + ".amazonaws.com"
	o.Outputs["hostedZoneId"] = websiteZones[o.Region]
	o.Outputs["region"] = o.Region
	return nil
}

// removeBucket takes the settings along; objects only with forceDestroy.
func removeBucket(v *view, o *Object) error {
	if objects := v.versionsIn(o.ID); len(objects) > 0 && !o.in().Bool("forceDestroy", false) {
		return refuse("BucketNotEmpty", "the bucket you tried to delete is not empty: %s has %d versions of objects, such as %q; you must delete all versions in the bucket",
			o.ID, len(objects), objects[0].out().String("key"))
	}
	v.dropOwned(o, typeS3Version)
	for _, typ := range bucketSettings {
		if v.get(typ, o.ID) != nil {
			v.del(typ, o.ID)
		}
	}
	return nil
}

// bucketOf returns the bucket that something in a region refers to.
func (v *view) bucketOf(name, region string) (*Object, error) {
	bucket := v.get(typeBucket, name)
	if bucket == nil {
		return nil, missingReference("NoSuchBucket", "the specified bucket does not exist: %s", name)
	}
	if bucket.Region != region {
		return nil, missingReference("PermanentRedirect", "the bucket %s is in %s and must be addressed there, not in %s", name, bucket.Region, region)
	}
	return bucket, nil
}

func bucketARN(name string) string { return "arn:aws:s3:::" + name }
