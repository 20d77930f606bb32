package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

type pair struct{ name, value string }

// claim is what a request says about its own signature, before it is believed.
type claim struct {
	accessKeyID, sessionToken string
	date, region, service     string
	time                      time.Time
	expires                   time.Duration
	presigned                 bool
	signedHeaders             []string
	signature                 string
	query                     []pair
}

func parse(r Request) (*claim, error) {
	query, err := splitQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	c := &claim{query: query}
	authorization := r.Header.Values("Authorization")
	presigned := slices.ContainsFunc(query, func(p pair) bool { return p.name == "X-Amz-Algorithm" })
	switch {
	case presigned && len(authorization) > 0:
		return nil, incomplete("a request is signed in its header or in its query, not in both")
	case presigned:
		return c, c.parseQuery()
	case len(authorization) == 1:
		return c, c.parseHeader(r, authorization[0])
	case len(authorization) > 1:
		return nil, incomplete("more than one Authorization header")
	default:
		return nil, &Error{http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token"}
	}
}

func (c *claim) parseHeader(r Request, authorization string) error {
	rest, found := strings.CutPrefix(authorization, algorithm+" ")
	if !found {
		return incomplete("Authorization must begin with '" + algorithm + "'")
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(part), "=")
		if _, twice := fields[name]; !found || twice {
			return incomplete("'" + strings.TrimSpace(part) + "' not a valid key=value pair (missing equal-sign or given twice) in Authorization header")
		}
		fields[name] = value
	}
	dates := r.Header.Values("X-Amz-Date")
	if len(dates) != 1 {
		return incomplete("Authorization header requires one 'X-Amz-Date' header")
	}
	c.sessionToken = r.Header.Get("X-Amz-Security-Token")
	return c.set(fields["Credential"], dates[0], fields["SignedHeaders"], fields["Signature"])
}

func (c *claim) parseQuery() error {
	c.presigned = true
	values := map[string]string{}
	for _, p := range c.query {
		// A name given twice could be read in one way here and signed in another.
		if _, twice := values[p.name]; twice {
			return incomplete("query parameter '" + p.name + "' is given twice")
		}
		values[p.name] = p.value
	}
	if values["X-Amz-Algorithm"] != algorithm {
		return incomplete("X-Amz-Algorithm must be '" + algorithm + "'")
	}
	seconds, err := strconv.Atoi(values["X-Amz-Expires"])
	if err != nil || seconds < 0 || seconds > int(maxExpires.Seconds()) {
		return incomplete("X-Amz-Expires must be a number of seconds between 0 and " + strconv.Itoa(int(maxExpires.Seconds())))
	}
	c.expires = time.Duration(seconds) * time.Second
	c.sessionToken = values["X-Amz-Security-Token"]
	return c.set(values["X-Amz-Credential"], values["X-Amz-Date"], values["X-Amz-SignedHeaders"], values["X-Amz-Signature"])
}

func (c *claim) set(credential, date, signedHeaders, signature string) error {
	scope := strings.Split(credential, "/")
	if len(scope) != 5 || scope[0] == "" || scope[4] != "aws4_request" {
		return incomplete("Credential must be <access key id>/<date>/<region>/<service>/aws4_request")
	}
	c.accessKeyID, c.date, c.region, c.service = scope[0], scope[1], scope[2], scope[3]
	var err error
	if c.time, err = time.Parse(timeForm, date); err != nil {
		return incomplete("Date must be in ISO-8601 'basic format', such as 20060102T150405Z")
	}
	c.signedHeaders = strings.Split(signedHeaders, ";")
	if signedHeaders == "" || !slices.IsSorted(c.signedHeaders) || signedHeaders != strings.ToLower(signedHeaders) {
		return incomplete("SignedHeaders must be lower-case names in order, separated by ';'")
	}
	if signature == "" {
		return incomplete("the signature is missing")
	}
	c.signature = signature
	return nil
}

func splitQuery(raw string) ([]pair, error) {
	var query []pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		decodedName, err := url.QueryUnescape(name)
		if err != nil {
			return nil, incomplete("query parameter '" + name + "' is not percent-encoded")
		}
		decodedValue, err := url.QueryUnescape(value)
		if err != nil {
			return nil, incomplete("the value of query parameter '" + decodedName + "' is not percent-encoded")
		}
		query = append(query, pair{decodedName, decodedValue})
	}
	return query, nil
}
