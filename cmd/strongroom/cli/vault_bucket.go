package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/strongroom-platform/strongroom/internal/awsapi"
)

// storedSnapshot is a snapshot in the bucket.
type storedSnapshot struct {
	Key      string    `json:"key"`
	Bytes    int64     `json:"bytes"`
	Modified time.Time `json:"modified"`
}

// awsBucket is the snapshot bucket in S3.
type awsBucket struct {
	session *awsapi.Session
	name    string
}

func (b awsBucket) Name() string { return b.name }

func (b awsBucket) Newest(ctx context.Context) (storedSnapshot, bool, error) {
	objects, err := b.session.ListObjects(ctx, b.name, snapshotPrefix)
	if err != nil {
		return storedSnapshot{}, false, fmt.Errorf("list s3://%s/%s: %w", b.name, snapshotPrefix, err)
	}
	var found storedSnapshot
	for _, o := range objects {
		if o.Modified.After(found.Modified) {
			found = storedSnapshot{o.Key, o.Size, o.Modified}
		}
	}
	return found, found.Key != "", nil
}

func (b awsBucket) Put(ctx context.Context, key string, file *os.File) error {
	if err := b.session.PutFile(ctx, b.name, key, file); err != nil {
		return fmt.Errorf("send the snapshot to s3://%s/%s: %w", b.name, key, err)
	}
	return nil
}

func (b awsBucket) Get(ctx context.Context, bucket, key string, file *os.File) error {
	if err := b.session.GetFile(ctx, bucket, key, file); err != nil {
		return fmt.Errorf("fetch s3://%s/%s: %w", bucket, key, err)
	}
	return nil
}
