package vpnca

import (
	"context"
	"errors"
	"fmt"
)

// ErrNoObject is the error of [Objects.GetObject] where there is none.
var ErrNoObject = errors.New("there is no such object")

// Objects is what [ObjectStore] needs of S3.
type Objects interface {
	// GetObject returns an object and its ETag. The error wraps [ErrNoObject]
	// where there is none.
	GetObject(ctx context.Context, bucket, key string) (data []byte, etag string, err error)
	// PutObject writes an object on the condition that it still has that ETag
	// (If-Match), or with "" that there is none (If-None-Match: *). The error wraps
	// [ErrChanged] where S3 answers 412 or 409.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
	PutObject(ctx context.Context, bucket, key string, data []byte, etag string) error
}

// ObjectStore keeps the index in an object of S3, with conditional writes. Switch
// versioning of the bucket on to keep what was there before, too.
type ObjectStore struct {
	Objects     Objects
	Bucket, Key string
}

func (s *ObjectStore) String() string { return "s3://" + s.Bucket + "/" + s.Key }

// Load implements [Store].
func (s *ObjectStore) Load(ctx context.Context) ([]byte, string, error) {
	data, etag, err := s.Objects.GetObject(ctx, s.Bucket, s.Key)
	switch {
	case errors.Is(err, ErrNoObject):
		return nil, "", nil
	case err != nil:
		return nil, "", fmt.Errorf("read the index of certificates at %s: %w", s, err)
	case etag == "":
		return nil, "", fmt.Errorf("read the index of certificates at %s: the answer has no ETag, so that changes by others could not be told", s)
	}
	return data, etag, nil
}

// Save implements [Store].
func (s *ObjectStore) Save(ctx context.Context, data []byte, version string) error {
	if err := s.Objects.PutObject(ctx, s.Bucket, s.Key, data, version); err != nil {
		return fmt.Errorf("write the index of certificates at %s: %w", s, err)
	}
	return nil
}
