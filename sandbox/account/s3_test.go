package account

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBucket(t *testing.T) {
	w := newWorld(t)
	bucket := w.create(typeBucket, m{"bucket": "strongroom-vpn", "tags": m{"a": "b"}})
	require.Equal(t, "strongroom-vpn", bucket.ID)
	require.Equal(t, "arn:aws:s3:::strongroom-vpn", bucket.Outputs["arn"])
	require.Equal(t, "strongroom-vpn.s3.eu-central-1.amazonaws.com", bucket.Outputs["bucketRegionalDomainName"])
	_, err := w.tryIn("eu-west-1", typeBucket, m{"bucket": "strongroom-vpn"})
	refused(t, err, "BucketAlreadyOwnedByYou")
	for _, name := range []string{"ab", "Upper", "-x-", "a..b", "10.0.0.1", "xn--abc", "abc-s3alias", "a_b"} {
		_, err := w.try(typeBucket, m{"bucket": name})
		require.ErrorContains(t, err, "is no name of a bucket", name)
	}
	require.NoError(t, w.update(bucket, m{"forceDestroy": true}))
	require.NoError(t, w.delete(bucket))
}

func TestBucketSettings(t *testing.T) {
	w := newWorld(t)
	bucket := w.create(typeBucket, m{})
	key := w.create(typeKey, m{})
	settings := map[string]m{
		typeBucketVersioning:   {"versioningConfiguration": m{"status": "Enabled"}},
		typeBucketEncryption:   {"rules": l(m{"applyServerSideEncryptionByDefault": m{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key.Outputs["arn"]}, "bucketKeyEnabled": true})},
		typeBucketPublicAccess: {"blockPublicPolicy": true, "blockPublicAcls": true},
		typeBucketPolicy: {"policy": m{"Version": "2012-10-17", "Statement": l(m{"Effect": "Deny", "Principal": m{"AWS": "*"}, "Action": "s3:*",
			"Resource": l("arn:aws:s3:::"+bucket.ID, "arn:aws:s3:::"+bucket.ID+"/*"), "Condition": m{"Bool": m{"aws:SecureTransport": "false"}}})}},
		typeBucketLifecycle: {"rules": l(m{"id": "old", "status": "Enabled", "noncurrentVersionExpiration": m{"noncurrentDays": 90}})},
	}
	for _, typ := range bucketSettings {
		inputs := settings[typ]
		_, err := w.try(typ, mergeInputs(inputs, "bucket", "none"))
		refused(t, err, "NoSuchBucket")
		_, err = w.tryIn("eu-west-1", typ, mergeInputs(inputs, "bucket", bucket.ID))
		refused(t, err, "PermanentRedirect")
		made := w.create(typ, mergeInputs(inputs, "bucket", bucket.ID))
		require.Equal(t, bucket.ID, made.ID)
		known, err := Lookup(typ)
		require.NoError(t, err)
		require.Equal(t, Diff{}, known.Diff(made.Inputs, w.read(made).Outputs, made.Inputs), typ)
		require.Equal(t, []string{"bucket"}, known.Diff(made.Inputs, made.Outputs, mergeInputs(made.Inputs, "bucket", "other")).Replaces)
	}
	policy := &Object{Type: typeBucketPolicy, ID: bucket.ID, Inputs: m{"bucket": bucket.ID}}
	statement := func(effect, resource string) m {
		return m{"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Principal":"*","Action":"s3:GetObject","Resource":"` + resource + `"}]}`}
	}
	refused(t, w.update(policy, statement("Deny", "arn:aws:s3:::other/*")), "MalformedPolicy")
	refused(t, w.update(policy, statement("Allow", "arn:aws:s3:::"+bucket.ID+"/*")), "AccessDenied")
	versioning := &Object{Type: typeBucketVersioning, ID: bucket.ID, Inputs: m{"bucket": bucket.ID}}
	refused(t, w.update(versioning, m{"versioningConfiguration": m{"status": "Disabled"}}), "InvalidBucketState")
	require.NoError(t, w.update(versioning, m{"versioningConfiguration": m{"status": "Suspended"}}))

	require.NoError(t, w.delete(bucket), "settings do not hold a bucket")
	for _, o := range w.a.Objects() {
		require.Equal(t, typeKey, o.Type)
	}
}

func mergeInputs(inputs m, key string, value any) m {
	merged := cloneMap(inputs)
	merged[key] = value
	return merged
}

func TestBucketSettingsAreChecked(t *testing.T) {
	w := newWorld(t)
	bucket := w.create(typeBucket, m{}).ID
	for want, test := range map[string]struct {
		typ    string
		inputs m
	}{
		`"On" is not allowed`:     {typeBucketVersioning, m{"versioningConfiguration": m{"status": "On"}}},
		"there are 0":             {typeBucketEncryption, m{"rules": l()}},
		`"none" is not allowed`:   {typeBucketEncryption, m{"rules": l(m{"applyServerSideEncryptionByDefault": m{"sseAlgorithm": "none"}})}},
		"is only for":             {typeBucketEncryption, m{"rules": l(m{"applyServerSideEncryptionByDefault": m{"sseAlgorithm": "AES256", "kmsMasterKeyId": "k"}})}},
		"the KMS key":             {typeBucketEncryption, m{"rules": l(m{"applyServerSideEncryptionByDefault": m{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "k"}})}},
		"has no action":           {typeBucketLifecycle, m{"rules": l(m{"id": "x", "status": "Enabled"})}},
		"is there twice":          {typeBucketLifecycle, m{"rules": l(m{"id": "x", "status": "Enabled", "expiration": m{"days": 1}}, m{"id": "x", "status": "Enabled", "expiration": m{"days": 1}})}},
		`"Sometimes" is not allo`: {typeBucketLifecycle, m{"rules": l(m{"id": "x", "status": "Sometimes", "expiration": m{"days": 1}})}},
	} {
		test.inputs["bucket"] = bucket
		_, err := w.try(test.typ, test.inputs)
		require.ErrorContains(t, err, want)
	}
}

func TestObjects(t *testing.T) {
	for _, versioned := range []bool{false, true} {
		w := newWorld(t)
		bucket := w.create(typeBucket, m{"bucket": "strongroom-vpn"})
		if versioned {
			w.create(typeBucketVersioning, m{"bucket": bucket.ID, "versioningConfiguration": m{"status": "Enabled"}})
		}
		put := func(content string, condition S3Condition) (S3Version, error) {
			return w.a.PutS3(t.Context(), bucket.ID, "vpn/index.json", "application/json", []byte(content), condition)
		}
		get := func(version string) (string, error) {
			_, content, err := w.a.GetS3(t.Context(), bucket.ID, "vpn/index.json", version)
			return string(content), err
		}
		_, err := get("")
		gone(t, err)
		_, err = put("x", S3Condition{IfMatch: "e"})
		gone(t, err)
		first, err := put("one", S3Condition{IfAbsent: true})
		require.NoError(t, err)
		require.Equal(t, "f97c5d29941bfb1b2fdab0874906ab82", first.ETag, "the MD5 sum, as S3 has it")
		_, err = put("two", S3Condition{IfAbsent: true})
		refused(t, err, "PreconditionFailed")
		_, err = put("two", S3Condition{IfMatch: "f"})
		refused(t, err, "PreconditionFailed")
		second, err := put("two", S3Condition{IfMatch: first.ETag})
		require.NoError(t, err)
		content, err := get("")
		require.NoError(t, err)
		require.Equal(t, "two", content)
		content, err = get(first.ID)
		require.NoError(t, err)
		require.Equal(t, map[bool]string{true: "one", false: "two"}[versioned], content, "only versioning keeps what was written over")
		require.Equal(t, versioned, first.ID != second.ID)

		// After a restart all is there, and what a killed write left is not.
		require.NoError(t, os.WriteFile(w.a.contentFile("0123"), []byte("half"), 0o600))
		dir := w.a.dir
		require.NoError(t, w.a.Close())
		w.a, err = Open(dir, w.cp, Options{})
		require.NoError(t, err)
		require.NoFileExists(t, w.a.contentFile("0123"))
		content, err = get("")
		require.NoError(t, err)
		require.Equal(t, "two", content)

		refused(t, w.delete(bucket), "BucketNotEmpty")
		marker, err := w.a.DeleteS3(t.Context(), bucket.ID, "vpn/index.json", "")
		require.NoError(t, err)
		require.Equal(t, versioned, marker.Deleted)
		_, err = get("")
		gone(t, err)
		all, err := w.a.ListS3(t.Context(), bucket.ID, "vpn/")
		require.NoError(t, err)
		require.Len(t, all, map[bool]int{true: 3, false: 0}[versioned])
		if versioned {
			refused(t, w.delete(bucket), "BucketNotEmpty")
			_, err = put("three", S3Condition{IfAbsent: true})
			require.NoError(t, err, "a deleted object is absent")
			require.NoError(t, w.update(bucket, m{"forceDestroy": true}))
		}
		require.NoError(t, w.delete(bucket))
		require.NoError(t, w.a.sweepContent())
		left, err := os.ReadDir(w.a.contentDir())
		require.NoError(t, err)
		require.Empty(t, left)
		_, err = put("x", S3Condition{})
		refused(t, err, "NoSuchBucket")
		require.NoError(t, w.a.Close())
		w.a, err = Open(dir, w.cp, Options{}) // for the end of the test
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, w.a.Close()) })
	}
}
