package awsapi

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"
)

// largestFile is the limit of S3 for one request.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
const largestFile = 5 << 30

// Object is one of a list.
type Object struct {
	Key      string    `xml:"Key"`
	Size     int64     `xml:"Size"`
	Modified time.Time `xml:"LastModified"`
}

// PutFile writes a file as an object that is not there yet; S3 refuses it when what
// arrives differs from the checksum in the signature. The error wraps
// [ErrCondition] where there is such an object.
func (s *Session) PutFile(ctx context.Context, bucket, key string, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	if info.Size() > largestFile {
		return fmt.Errorf("upload %s: it has %d bytes, and S3 takes 5 GiB in one request: `aws s3 cp` sends it in parts", file.Name(), info.Size())
	}
	_, err = s.send(ctx, request{
		service: "s3", method: http.MethodPut, url: s.objectURL(bucket, key), upload: file,
		header: http.Header{"Content-Type": {"application/octet-stream"}, "If-None-Match": {"*"}},
	})
	var known *Error
	if errors.As(err, &known) && known.Status == http.StatusPreconditionFailed {
		return fmt.Errorf("%w: %w", ErrCondition, err)
	}
	return err
}

// GetFile writes an object into a file, over what is in it; the error wraps
// [ErrNoObject] where there is none.
func (s *Session) GetFile(ctx context.Context, bucket, key string, file *os.File) error {
	_, err := s.send(ctx, request{service: "s3", method: http.MethodGet, url: s.objectURL(bucket, key), download: file})
	var known *Error
	if errors.As(err, &known) && known.Code == "NoSuchKey" {
		return fmt.Errorf("%w: %w", ErrNoObject, err)
	}
	return err
}

// ListObjects lists the objects below a prefix, in the order of their keys.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
func (s *Session) ListObjects(ctx context.Context, bucket, prefix string) ([]Object, error) {
	var all []Object
	query := url.Values{"list-type": {"2"}, "prefix": {prefix}}
	for {
		a, err := s.send(ctx, request{service: "s3", method: http.MethodGet, url: s.objectURL(bucket, "") + "?" + query.Encode()})
		if err != nil {
			return nil, err
		}
		var page struct {
			XMLName   xml.Name `xml:"ListBucketResult"`
			Contents  []Object `xml:"Contents"`
			Truncated bool     `xml:"IsTruncated"`
			Next      string   `xml:"NextContinuationToken"`
		}
		if err := xml.Unmarshal(a.body, &page); err != nil {
			return nil, fmt.Errorf("list of s3://%s/%s: the answer is not that of S3: %w", bucket, prefix, err)
		}
		all = append(all, page.Contents...)
		if !page.Truncated || page.Next == "" {
			return all, nil
		}
		query.Set("continuation-token", page.Next)
	}
}
