package s3

import (
	"encoding/xml"
	"net/http"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/account"
)

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

type listed struct {
	Key          string
	VersionID    string `xml:"VersionId,omitempty"`
	IsLatest     *bool  `xml:",omitempty"`
	LastModified string
	ETag         string `xml:",omitempty"`
	Size         *int64 `xml:",omitempty"`
	StorageClass string `xml:",omitempty"`
}

type objectList struct {
	XMLName     xml.Name `xml:"ListBucketResult"`
	Namespace   string   `xml:"xmlns,attr"`
	Name        string
	Prefix      string
	KeyCount    int
	MaxKeys     int
	IsTruncated bool
	Contents    []listed
}

type versionList struct {
	XMLName       xml.Name `xml:"ListVersionsResult"`
	Namespace     string   `xml:"xmlns,attr"`
	Name          string
	Prefix        string
	MaxKeys       int
	IsTruncated   bool
	Versions      []listed `xml:"Version"`
	DeleteMarkers []listed `xml:"DeleteMarker"`
}

// maxKeys is the size of a page. A longer list is refused and not cut.
const maxKeys = 1000

// onBucket is HeadBucket, ListObjectsV2 and ListObjectVersions.
func (s *Server) onBucket(w http.ResponseWriter, r request) error {
	versions, err := s.Account.ListS3(r.Context(), r.bucket, r.URL.Query().Get("prefix"))
	if err != nil {
		return err
	}
	if len(versions) > maxKeys {
		return notImplemented("a list of more than 1000 versions")
	}
	home, _ := s.Account.BucketRegion(r.bucket)
	w.Header().Set("X-Amz-Bucket-Region", home)
	query := r.URL.Query()
	switch {
	case r.Method == http.MethodHead:
		w.WriteHeader(http.StatusOK)
		return nil
	case r.Method != http.MethodGet:
		return notImplemented(r.Method + " of a bucket: buckets are made by the provider")
	case query.Has("versions"):
		if err := onlyParameters(r.Request, "versions", "prefix", "x-id"); err != nil {
			return err
		}
		s.answer(w, http.StatusOK, listVersions(r, versions))
		return nil
	case query.Get("list-type") == "2":
		if err := onlyParameters(r.Request, "list-type", "prefix", "x-id"); err != nil {
			return err
		}
		s.answer(w, http.StatusOK, listObjects(r, versions))
		return nil
	}
	return notImplemented("this request of a bucket: list-type=2 and versions are known")
}

func listObjects(r request, versions []account.S3Version) objectList {
	list := objectList{Namespace: namespace, Name: r.bucket, Prefix: r.URL.Query().Get("prefix"), MaxKeys: maxKeys}
	last := ""
	for i, v := range versions {
		// The newest version of each key comes first.
		if (i == 0 || v.Key != last) && !v.Deleted {
			entry := entryOf(v)
			entry.VersionID = ""
			list.Contents = append(list.Contents, entry)
		}
		last = v.Key
	}
	list.KeyCount = len(list.Contents)
	return list
}

func listVersions(r request, versions []account.S3Version) versionList {
	list := versionList{Namespace: namespace, Name: r.bucket, Prefix: r.URL.Query().Get("prefix"), MaxKeys: maxKeys}
	for i, v := range versions {
		entry, latest := entryOf(v), i == 0 || versions[i-1].Key != v.Key
		entry.IsLatest = &latest
		if v.Deleted {
			list.DeleteMarkers = append(list.DeleteMarkers, entry)
		} else {
			list.Versions = append(list.Versions, entry)
		}
	}
	return list
}

func entryOf(v account.S3Version) listed {
	entry := listed{Key: v.Key, VersionID: v.ID, LastModified: v.Modified.UTC().Format(time.RFC3339)}
	if !v.Deleted {
		entry.ETag, entry.Size, entry.StorageClass = quote(v.ETag), &v.Size, "STANDARD"
	}
	return entry
}
