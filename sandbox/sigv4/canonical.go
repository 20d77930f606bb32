package sigv4

import (
	"net/url"
	"slices"
	"strings"
)

func canonicalRequest(r Request, c *claim, path, payload string) string {
	var headers strings.Builder
	for _, name := range c.signedHeaders {
		headers.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	return strings.Join([]string{
		r.Method,
		path,
		canonicalQuery(c.query),
		headers.String(),
		strings.Join(c.signedHeaders, ";"),
		payload,
	}, "\n")
}

func canonicalHeader(r Request, name string) string {
	if name == "host" {
		return strings.ToLower(r.Host)
	}
	values := r.Header.Values(name)
	trimmed := make([]string, len(values))
	for i, value := range values {
		trimmed[i] = strings.Join(strings.Fields(value), " ")
	}
	return strings.Join(trimmed, ",")
}

// canonicalPath encodes the path twice, as every service except S3 expects.
func canonicalPath(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		return "/"
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = encode(segment)
	}
	return strings.Join(segments, "/")
}

// canonicalPathOnce encodes the path once, as S3 does.
func canonicalPathOnce(u *url.URL) string {
	if u.Path == "" {
		return "/"
	}
	segments := strings.Split(u.Path, "/")
	for i, segment := range segments {
		segments[i] = encode(segment)
	}
	return strings.Join(segments, "/")
}

func canonicalQuery(query []pair) string {
	encoded := make([]string, 0, len(query))
	for _, p := range query {
		if p.name == "X-Amz-Signature" {
			continue
		}
		encoded = append(encoded, encode(p.name)+"="+encode(p.value))
	}
	// '=' sorts after '-' and '.', so whole strings would sort wrongly where one
	// name begins another.
	slices.SortFunc(encoded, func(a, b string) int {
		aName, aValue, _ := strings.Cut(a, "=")
		bName, bValue, _ := strings.Cut(b, "=")
		if c := strings.Compare(aName, bName); c != 0 {
			return c
		}
		return strings.Compare(aValue, bValue)
	})
	return strings.Join(encoded, "&")
}

// encode is AWS's UriEncode: everything but unreserved characters.
func encode(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		ch := s[i]
		switch {
		case 'A' <= ch && ch <= 'Z', 'a' <= ch && ch <= 'z', '0' <= ch && ch <= '9',
			ch == '-', ch == '_', ch == '.', ch == '~':
			b.WriteByte(ch)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[ch>>4])
			b.WriteByte(digits[ch&15])
		}
	}
	return b.String()
}
