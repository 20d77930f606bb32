package awsapi

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func fileWith(t *testing.T, content string) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// A file is sent whole again after a failure, with its length and checksum.
func TestPutFile(t *testing.T) {
	tries := 0
	s := session(t, func(w http.ResponseWriter, r *http.Request) {
		tries++
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Equal(t, "content", string(body))
		require.Equal(t, int64(7), r.ContentLength)
		require.Equal(t, "*", r.Header.Get("If-None-Match"))
		require.Equal(t, "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73", r.Header.Get("X-Amz-Content-Sha256"))
		w.WriteHeader(map[int]int{1: 503, 2: 200, 3: 412}[tries])
	})
	file := fileWith(t, "content")
	require.NoError(t, s.PutFile(t.Context(), "bucket", "key", file))
	require.ErrorIs(t, s.PutFile(t.Context(), "bucket", "key", file), ErrCondition)
	require.Equal(t, 3, tries)
}

// What a try that broke off left in the file is not in the result.
func TestGetFile(t *testing.T) {
	tries := 0
	s := session(t, func(w http.ResponseWriter, _ *http.Request) {
		switch tries++; tries {
		case 1:
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "the beginning of something")
		case 2:
			_, _ = io.WriteString(w, "content")
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "<Error><Code>NoSuchKey</Code></Error>")
		}
	})
	file := fileWith(t, "former and longer")
	require.NoError(t, s.GetFile(t.Context(), "bucket", "key", file))
	data, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	require.Equal(t, "content", string(data))
	require.Equal(t, 2, tries)
	require.ErrorIs(t, s.GetFile(t.Context(), "bucket", "key", file), ErrNoObject)
}

func TestListObjects(t *testing.T) {
	s := session(t, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "snapshots/", r.URL.Query().Get("prefix"))
		page := `<Contents><Key>%s</Key><LastModified>2026-11-24T10:00:00.000Z</LastModified><Size>3</Size></Contents>`
		more := `<IsTruncated>true</IsTruncated><NextContinuationToken>a+b/c=</NextContinuationToken>`
		name := "snapshots/1"
		if token := r.URL.Query().Get("continuation-token"); token != "" {
			require.Equal(t, "a+b/c=", token)
			name, more = "snapshots/2", `<IsTruncated>false</IsTruncated>`
		}
		fmt.Fprintf(w, `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`+page+more+`</ListBucketResult>`, name)
	})
	found, err := s.ListObjects(t.Context(), "bucket", "snapshots/")
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Equal(t, "snapshots/2", found[1].Key)
	require.Equal(t, int64(3), found[1].Size)
	require.Equal(t, 2026, found[1].Modified.Year())
}

func TestSecretValue(t *testing.T) {
	for name, tt := range map[string]struct {
		status      int
		answer      string
		described   int
		value, want string
		is          error
	}{
		"there":     {200, `{"SecretString":"text"}`, 0, "text", "", nil},
		"no value":  {400, `{"__type":"ResourceNotFoundException","Message":"no"}`, 200, "", "label AWSCURRENT", ErrNoValue},
		"no secret": {400, `{"__type":"ResourceNotFoundException","Message":"no"}`, 400, "", "DescribeSecret of the-secret: ResourceNotFoundException: no", nil},
		"denied":    {400, `{"__type":"com.amazonaws#AccessDeniedException","message":"User is not authorized"}`, 0, "", "AccessDeniedException: User is not authorized", nil},
		"bytes":     {200, `{"SecretBinary":"aGlkZGVu"}`, 0, "", "expected a text", nil},
		"no JSON":   {200, `hidden`, 0, "", "the answer is not that of Secrets Manager", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := session(t, func(w http.ResponseWriter, r *http.Request) {
				status := tt.status
				if r.Header.Get("X-Amz-Target") == "secretsmanager.DescribeSecret" {
					status = tt.described
				}
				w.WriteHeader(status)
				_, _ = io.WriteString(w, tt.answer)
			})
			value, err := s.SecretValue(t.Context(), "the-secret", "AWSCURRENT")
			require.Equal(t, tt.value, value)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "hidden")
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			} else {
				require.NotErrorIs(t, err, ErrNoValue)
			}
		})
	}
}
