package s3

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/account"
)

// get is GetObject and HeadObject.
func (s *Server) get(w http.ResponseWriter, r request) error {
	if r.Header.Get("Range") != "" {
		return notImplemented("Range")
	}
	object, content, err := s.Account.GetS3(r.Context(), r.bucket, r.key, r.URL.Query().Get("versionId"))
	describe(w, object)
	if err != nil {
		return err
	}
	if etag := r.Header.Get("If-Match"); etag != "" && etag != "*" && unquote(etag) != object.ETag {
		return refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold: If-Match")
	}
	if etag := r.Header.Get("If-None-Match"); etag == "*" || etag != "" && unquote(etag) == object.ETag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	w.Header().Set("Content-Length", strconv.FormatInt(object.Size, 10))
	w.Header().Set("Content-Type", object.Type)
	w.Header().Set("Last-Modified", object.Modified.UTC().Format(http.TimeFormat))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		if _, err := w.Write(content); err != nil {
			s.Log.Info("client went away", "service", Scope, "error", err)
		}
	}
	return nil
}

// put is PutObject, with the conditions that S3 has for writes.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func (s *Server) put(w http.ResponseWriter, r request) error {
	for _, header := range []string{"X-Amz-Copy-Source", "X-Amz-Acl", "X-Amz-Tagging", "X-Amz-Object-Lock-Mode"} {
		if r.Header.Get(header) != "" {
			return notImplemented(header)
		}
	}
	condition := account.S3Condition{IfMatch: unquote(r.Header.Get("If-Match"))}
	switch r.Header.Get("If-None-Match") {
	case "":
	case "*":
		condition.IfAbsent = true
	default:
		return notImplemented("If-None-Match with an ETag: a write takes * only")
	}
	if condition.IfAbsent && condition.IfMatch != "" {
		return refuse(http.StatusBadRequest, "InvalidRequest", "If-Match and If-None-Match exclude each other")
	}
	if err := checkDigests(r); err != nil {
		return err
	}
	contentType := r.Header.Get("Content-Type")
	if contentType == "" {
		contentType = "binary/octet-stream"
	}
	object, err := s.Account.PutS3(r.Context(), r.bucket, r.key, contentType, r.body, condition)
	if err != nil {
		return err
	}
	describe(w, object)
	w.Header().Set("X-Amz-Server-Side-Encryption", "AES256")
	w.WriteHeader(http.StatusOK)
	return nil
}

// remove is DeleteObject.
func (s *Server) remove(w http.ResponseWriter, r request) error {
	object, err := s.Account.DeleteS3(r.Context(), r.bucket, r.key, r.URL.Query().Get("versionId"))
	if err != nil {
		return err
	}
	describe(w, object)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// describe sets the headers that tell a version.
func describe(w http.ResponseWriter, object account.S3Version) {
	if object.ETag != "" {
		w.Header().Set("ETag", quote(object.ETag))
	}
	if object.ID != "" && object.ID != account.S3Unversioned {
		w.Header().Set("X-Amz-Version-Id", object.ID)
	}
	if object.Deleted {
		w.Header().Set("X-Amz-Delete-Marker", "true")
	}
}

func quote(etag string) string   { return `"` + etag + `"` }
func unquote(etag string) string { return strings.Trim(etag, `"`) }
