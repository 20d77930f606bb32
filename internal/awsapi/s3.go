package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// What a request for an object can run into.
var (
	ErrNoObject = errors.New("there is no such object")
	// ErrCondition: the object is not (any more) as the condition says.
	ErrCondition = errors.New("the object was written by somebody else meanwhile")
)

// GetObject returns an object and its ETag; the error wraps [ErrNoObject] where
// there never was one. An object that was deleted from a bucket with versions is
// another error: whoever goes on as if there had been none loses its history.
func (s *Session) GetObject(ctx context.Context, bucket, key string) ([]byte, string, error) {
	a, err := s.send(ctx, request{service: "s3", method: http.MethodGet, url: s.objectURL(bucket, key)})
	var known *Error
	switch {
	case errors.As(err, &known) && known.deleted:
		return nil, "", fmt.Errorf("s3://%s/%s was deleted: remove its delete marker, which brings its last version back", bucket, key)
	case errors.As(err, &known) && known.Code == "NoSuchKey":
		return nil, "", fmt.Errorf("%w: %w", ErrNoObject, err)
	case err != nil:
		return nil, "", err
	}
	return a.body, a.header.Get("ETag"), nil
}

// PutObject writes an object if it has that ETag, or with "" if there is none; the
// error wraps [ErrCondition] otherwise. An answer that was lost looks the same,
// because the request is sent again.
func (s *Session) PutObject(ctx context.Context, bucket, key string, data []byte, etag string) error {
	header := http.Header{"Content-Type": {"application/json"}, "If-Match": {etag}}
	if etag == "" {
		header.Del("If-Match")
		header.Set("If-None-Match", "*")
	}
	_, err := s.send(ctx, request{service: "s3", method: http.MethodPut, url: s.objectURL(bucket, key), header: header, body: data})
	var known *Error
	// If-Match on an object that is gone is a 404.
	if errors.As(err, &known) && (known.Status == http.StatusPreconditionFailed || known.Status == http.StatusConflict ||
		known.Code == "NoSuchKey") {
		return fmt.Errorf("%w: %w", ErrCondition, err)
	}
	return err
}

// objectURL is the virtual-hosted address, or below an override the path.
func (s *Session) objectURL(bucket, key string) string {
	if override, ok := s.override("s3"); ok {
		return override + "/" + bucket + "/" + key
	}
	if strings.Contains(bucket, ".") { // which the certificate's wildcard does not cover
		return "https://s3." + s.Region + "." + s.suffix() + "/" + bucket + "/" + key
	}
	return "https://" + bucket + ".s3." + s.Region + "." + s.suffix() + "/" + key
}
