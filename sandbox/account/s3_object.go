package account

import (
	"context"
	"crypto/md5" // #nosec G501 -- what S3 makes ETags of
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// typeS3Version is one version of an object in a bucket. It is not a type that
// programs create here: clients of the simulated S3 do. Its content stands in a
// file of its own, which is there before the version is.
const typeS3Version = "aws:s3/objectVersion:ObjectVersion"

// S3Version is one version of an object.
type S3Version struct {
	Bucket, Key string
	// ID of the version, "null" in a bucket without versioning.
	ID       string
	ETag     string // without quotes
	Size     int64
	Type     string // of the content
	Modified time.Time
	// Deleted is a delete marker: the object is gone, its former versions stay.
	Deleted bool
}

// S3Condition is what must hold for a write:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
type S3Condition struct {
	// IfMatch is the ETag that the object must have, without quotes.
	IfMatch string
	// IfAbsent: there must be no such object.
	IfAbsent bool
}

func (c S3Condition) check(current *Object, bucket, key string) error {
	there := current != nil && !current.out().Bool("deleted", false)
	switch {
	case c.IfAbsent && there:
		return refuse("PreconditionFailed", "at least one of the pre-conditions you specified did not hold: If-None-Match, %s is in bucket %s", key, bucket)
	case c.IfMatch != "" && !there:
		return notFound("NoSuchKey", "the specified key does not exist: %s in bucket %s", key, bucket)
	case c.IfMatch != "" && current.out().String("etag") != c.IfMatch:
		return refuse("PreconditionFailed", "at least one of the pre-conditions you specified did not hold: If-Match, %s in bucket %s has the ETag %q",
			key, bucket, current.out().String("etag"))
	}
	return nil
}

// maxKey is the longest key in bytes:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
const maxKey = 1024

// PutS3 writes an object and returns its new version, durably.
func (a *Account) PutS3(ctx context.Context, bucket, key, contentType string, content []byte, condition S3Condition) (S3Version, error) {
	if err := a.faults.strike(ctx, typeS3Version, OpCreate); err != nil {
		return S3Version{}, err
	}
	if key == "" || len(key) > maxKey {
		return S3Version{}, refuse("KeyTooLongError", "your key has %d bytes: expected 1 to %d", len(key), maxKey)
	}
	sum := md5.Sum(content) // #nosec G401 -- an ETag is no protection
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	owner := v.get(typeBucket, bucket)
	if owner == nil {
		return S3Version{}, missingReference("NoSuchBucket", "the specified bucket does not exist: %s", bucket)
	}
	if err := condition.check(v.currentVersion(bucket, key), bucket, key); err != nil {
		return S3Version{}, err
	}
	file, err := a.writeContent(content)
	if err != nil {
		return S3Version{}, err
	}
	put := v.addVersion(owner, key, map[string]any{
		"etag": hex.EncodeToString(sum[:]), "size": float64(len(content)), "contentType": contentType, "file": file,
	})
	if err := a.commitContent(v); err != nil {
		return S3Version{}, errors.Join(err, os.Remove(a.contentFile(file)))
	}
	return versionOf(put), nil
}

// GetS3 reads an object, or with a version ID that version of it. With the error
// for a deleted one comes its delete marker.
func (a *Account) GetS3(ctx context.Context, bucket, key, version string) (S3Version, []byte, error) {
	if err := a.faults.strike(ctx, typeS3Version, OpRead); err != nil {
		return S3Version{}, nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	if v.get(typeBucket, bucket) == nil {
		return S3Version{}, nil, missingReference("NoSuchBucket", "the specified bucket does not exist: %s", bucket)
	}
	found := v.currentVersion(bucket, key)
	if version != "" {
		if found = v.get(typeS3Version, versionKey(bucket, key, version)); found == nil {
			return S3Version{}, nil, notFound("NoSuchVersion", "the version %s of %s in bucket %s does not exist", version, key, bucket)
		}
	}
	if found == nil {
		return S3Version{}, nil, notFound("NoSuchKey", "the specified key does not exist: %s in bucket %s", key, bucket)
	}
	if found.out().Bool("deleted", false) {
		return versionOf(found), nil, notFound("NoSuchKey", "the specified key does not exist: %s in bucket %s", key, bucket)
	}
	content, err := os.ReadFile(a.contentFile(found.out().String("file")))
	if err != nil {
		return S3Version{}, nil, fmt.Errorf("simulated S3: content of %s in bucket %s: %w", key, bucket, err)
	}
	return versionOf(found), content, nil
}

// BucketRegion returns the region of a bucket; false where there is no such bucket.
func (a *Account) BucketRegion(name string) (string, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	bucket := a.view().get(typeBucket, name)
	if bucket == nil {
		return "", false
	}
	return bucket.Region, true
}

// DeleteS3 deletes a version for ever or, without one, the object: in a bucket
// with versioning that leaves a delete marker. What is not there is no error.
func (a *Account) DeleteS3(ctx context.Context, bucket, key, version string) (S3Version, error) {
	if err := a.faults.strike(ctx, typeS3Version, OpDelete); err != nil {
		return S3Version{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	owner := v.get(typeBucket, bucket)
	if owner == nil {
		return S3Version{}, missingReference("NoSuchBucket", "the specified bucket does not exist: %s", bucket)
	}
	gone := S3Version{Bucket: bucket, Key: key, ID: version}
	switch {
	case version == "" && v.versioned(bucket):
		gone = versionOf(v.addVersion(owner, key, map[string]any{"deleted": true}))
	case version == "":
		version = S3Unversioned
		fallthrough
	default:
		if id := versionKey(bucket, key, version); v.get(typeS3Version, id) != nil {
			v.del(typeS3Version, id)
		}
	}
	return gone, a.commitContent(v)
}

// ListS3 returns all versions of the objects whose keys begin with a prefix, by
// key and newest first.
func (a *Account) ListS3(ctx context.Context, bucket, prefix string) ([]S3Version, error) {
	if err := a.faults.strike(ctx, typeS3Version, OpRead); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	if v.get(typeBucket, bucket) == nil {
		return nil, missingReference("NoSuchBucket", "the specified bucket does not exist: %s", bucket)
	}
	var found []S3Version
	for _, o := range v.versionsIn(bucket) {
		if strings.HasPrefix(o.out().String("key"), prefix) {
			found = append(found, versionOf(o))
		}
	}
	return found, nil
}

// S3Unversioned is the ID of the only version that an object has in a bucket
// without versioning.
const S3Unversioned = "null"

func versionKey(bucket, key, version string) string { return bucket + "/" + key + "?" + version }

// addVersion adds a version, in the place of the former where those are not kept.
func (v *view) addVersion(bucket *Object, key string, outputs map[string]any) *Object {
	id, number := S3Unversioned, 1.0
	if v.versioned(bucket.ID) {
		id = randomHex(32)
	}
	if former := v.currentVersion(bucket.ID, key); former != nil {
		number += former.out()["number"].(float64) //nolint:forcetypeassert // written below
	}
	outputs["bucket"], outputs["key"], outputs["version"], outputs["number"] = bucket.ID, key, id, number
	return v.own(bucket, typeS3Version, versionKey(bucket.ID, key, id), outputs)
}

// versionsIn returns the versions in a bucket, by key and newest first.
func (v *view) versionsIn(bucket string) []*Object {
	found := v.all(typeS3Version, func(o *Object) bool { return o.out().String("bucket") == bucket })
	slices.SortFunc(found, func(x, y *Object) int {
		if c := strings.Compare(x.out().String("key"), y.out().String("key")); c != 0 {
			return c
		}
		return y.out().Int("number", 0) - x.out().Int("number", 0)
	})
	return found
}

func (v *view) currentVersion(bucket, key string) *Object {
	for _, o := range v.versionsIn(bucket) {
		if o.out().String("key") == key {
			return o
		}
	}
	return nil
}

func versionOf(o *Object) S3Version {
	out := o.out()
	return S3Version{
		Bucket: out.String("bucket"), Key: out.String("key"), ID: out.String("version"), ETag: out.String("etag"),
		Size: int64(out.Int("size", 0)), Type: out.String("contentType"), Modified: o.Created, Deleted: out.Bool("deleted", false),
	}
}

func (a *Account) contentDir() string             { return filepath.Join(a.dir, "objects") }
func (a *Account) contentFile(name string) string { return filepath.Join(a.contentDir(), name) }

// writeContent writes a content to a new file and returns the file's name.
func (a *Account) writeContent(content []byte) (string, error) {
	name := randomHex(32)
	if err := os.MkdirAll(a.contentDir(), 0o700); err != nil {
		return "", fmt.Errorf("simulated S3: %w", err)
	}
	file, err := os.OpenFile(a.contentFile(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("simulated S3: %w", err)
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("simulated S3: %w", err), os.Remove(a.contentFile(name)))
	}
	return name, nil
}

// commitContent commits the view, and then removes the contents that nothing
// refers to any more.
func (a *Account) commitContent(v *view) error {
	if err := a.commit(v); err != nil {
		return err
	}
	return a.sweepContent()
}

// sweepContent removes the files of versions that are gone, or never came to be
// because the process ended between the content and its version.
func (a *Account) sweepContent() error {
	entries, err := os.ReadDir(a.contentDir())
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("simulated S3: %w", err)
	}
	used := map[string]bool{}
	for _, o := range a.objects[typeS3Version] {
		used[o.out().String("file")] = true
	}
	for _, entry := range entries {
		if !used[entry.Name()] {
			err = errors.Join(err, os.Remove(a.contentFile(entry.Name())))
		}
	}
	return err
}
