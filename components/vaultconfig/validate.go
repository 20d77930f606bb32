package vaultconfig

import (
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Problem is one thing wrong with the arguments.
type Problem struct {
	// Path of the argument, such as "workloads[2].secrets[0].path".
	Path string
	// Message says what was expected and what to do.
	Message string
}

func (p Problem) Error() string { return p.Path + ": " + p.Message }

// Validate reports everything that is wrong with the arguments.
func (a *Args) Validate(name string) error {
	if a == nil {
		return fmt.Errorf("vault config %q: the arguments are nil", name)
	}
	problems := a.Problems()
	if len(problems) == 0 {
		return nil
	}
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = p
	}
	return fmt.Errorf("vault config %q: %w", name, errors.Join(errs...))
}

var (
	nameForm = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	// A namespace is a DNS label, a service account a DNS subdomain:
	// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/.
	label       = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	subdomain   = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	segment     = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	roleARN     = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`)
	projectForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$`)
	// What git and GitLab allow is wider; a comma would be taken for two branches, and a
	// star for all.
	branchForm = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_./-]*$`)
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,62}$`)
)

// Problems lists everything that is wrong with the arguments, in their order.
func (a *Args) Problems() []Problem {
	c := &checker{}
	c.name("owner", a.Owner, 32)
	c.mount("kvMount", a.KVMount)
	c.mount("databaseMount", a.DatabaseMount)
	if a.KVMount == a.DatabaseMount {
		c.add("databaseMount", "%q is the path of the kv engine too: every engine has a path of its own", a.DatabaseMount)
	}
	a.checkLogins(c)
	names := map[string]int{}
	for i := range a.Databases {
		at := fmt.Sprintf("databases[%d]", i)
		a.Databases[i].check(c, at, a.OwnEngines)
		c.unique(names, "databases", at, "database", a.Databases[i].Name, i)
	}
	names = map[string]int{}
	for i := range a.Workloads {
		at := fmt.Sprintf("workloads[%d]", i)
		a.checkWorkload(c, at, &a.Workloads[i])
		c.unique(names, "workloads", at, "workload", a.Workloads[i].Name, i)
	}
	return c.problems
}

func (a *Args) checkLogins(c *checker) {
	if k := a.Cluster; k != nil {
		switch k.Method {
		case Local, Kubernetes:
			if k.Endpoint == nil || k.CertificateAuthority == nil {
				c.add("cluster", "the endpoint or the certificate authority is missing: Vault asks the cluster's API about every token")
			}
		case JWT:
			if k.OIDCIssuer == nil || k.Endpoint == nil || k.CertificateAuthority == nil {
				c.add("cluster", "the OIDC issuer, the endpoint or the certificate authority is missing")
			}
		default:
			c.add("cluster.method", "%q is no way to verify tokens: expected one of %q, %q, %q", k.Method, Local, JWT, Kubernetes)
		}
	}
	if a.AWS != nil {
		if a.AWS.Region == "" {
			c.add("aws.region", "is missing: Vault asks the STS of one region")
		}
		if a.AWS.ServerID == "" {
			c.add("aws.serverId", "is missing: give the name of Vault, or a login that was signed for another service could be used here")
		}
		if s := a.AWS.STSEndpoint; s != "" && !isURL(s) {
			c.add("aws.stsEndpoint", "%q is no URL: expected one such as %q", s, "https://sts.eu-west-1.amazonaws.com")
		}
	}
	if g := a.GitLab; g != nil {
		if !isURL(g.URL) {
			c.add("gitlab.url", "%q is no URL: expected one such as %q", g.URL, "https://gitlab.com")
		}
		if g.Audience == "" {
			c.add("gitlab.audience", "is missing: without it a token that a job got for another service could be used here")
		}
		for i, key := range g.PublicKeys {
			if block, _ := pem.Decode([]byte(key)); block == nil {
				c.add(fmt.Sprintf("gitlab.publicKeys[%d]", i), "is no public key in PEM")
			}
		}
	}
}

func (d *Database) check(c *checker, at string, own bool) {
	c.name(at+".name", d.Name, 32)
	if _, known := engines[d.Engine]; !known {
		c.add(at+".engine", "%q is no database that Vault knows here: expected one of %q, %q", d.Engine, "postgresql", "mysql")
	}
	if !identifier.MatchString(d.Database) {
		c.add(at+".database", "%q is no usable name of a database: expected letters, digits, _ and -", d.Database)
	}
	if !own {
		return
	}
	if host, port, err := net.SplitHostPort(d.Address); err != nil || host == "" || port == "" {
		c.add(at+".address", "%q is no address: expected host:port, such as %q", d.Address, "orders.tooling.internal:5432")
	}
	if !identifier.MatchString(d.Username) {
		c.add(at+".username", "%q is no usable name of a user: expected letters, digits, _ and -", d.Username)
	}
	if d.InsecurePlain {
		host, _, _ := net.SplitHostPort(d.Address)
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			c.add(at+".insecurePlain", "passwords would cross the network in plain text: only for an address on loopback")
		}
	}
}

func (a *Args) checkWorkload(c *checker, at string, w *Workload) {
	c.name(at+".name", w.Name, 48)
	c.workload = w.Name
	defer func() { c.workload = "" }()

	ways := 0
	if w.Namespace != "" || w.ServiceAccount != "" {
		ways++
		a.checkServiceAccount(c, at, w)
	}
	if w.AppRole {
		ways++
		if !a.AppRole {
			c.add(at+".appRole", "the login by AppRole is not turned on: set approle")
		}
	}
	if len(w.IAMRoleARNs) > 0 {
		ways++
		if a.AWS == nil {
			c.add(at+".iamRoleArns", "the login by AWS IAM is not turned on: set aws")
		}
		for i, arn := range w.IAMRoleARNs {
			if !roleARN.MatchString(arn) {
				c.add(fmt.Sprintf("%s.iamRoleArns[%d]", at, i), "%q is no ARN of one IAM role: expected one such as %q",
					arn, "arn:aws:iam::123456789012:role/backup")
			}
		}
	}
	if w.GitLab != nil {
		ways++
		if a.GitLab == nil {
			c.add(at+".gitlab", "the login of GitLab jobs is not turned on: set gitlab")
		}
		w.GitLab.check(c, at+".gitlab")
	}
	if ways != 1 {
		c.add(at, "has %d ways to log in: expected exactly one of namespace with serviceAccount, appRole, iamRoleArns, gitlab", ways)
	}

	for i, s := range w.Secrets {
		if why := a.checkPath(s.Path); why != "" {
			c.add(fmt.Sprintf("%s.secrets[%d].path", at, i), "%s", why)
		}
		if slices.ContainsFunc(w.Secrets[:i], func(o Secret) bool { return o.Path == s.Path }) {
			c.add(fmt.Sprintf("%s.secrets[%d].path", at, i), "%q is listed twice", s.Path)
		}
	}
	c.ttl(at, w.TTL, w.MaxTTL)
	if u := w.Database; u != nil {
		if !slices.ContainsFunc(a.Databases, func(d Database) bool { return d.Name == u.Name }) {
			c.add(at+".database.name", "there is no database %q: %s", u.Name, a.knownDatabases())
		}
		c.ttl(at+".database", u.TTL, u.MaxTTL)
	}
	if len(w.Secrets) == 0 && w.Database == nil {
		c.add(at, "may do nothing: give it secrets or a database, or remove it")
	}
}

func (a *Args) checkServiceAccount(c *checker, at string, w *Workload) {
	if a.Cluster == nil {
		c.add(at+".namespace", "no cluster logs in here")
	}
	if !label.MatchString(w.Namespace) {
		c.add(at+".namespace", "%q is not the name of one namespace: use at most 63 of a-z, 0-9 and -", w.Namespace)
	}
	if len(w.ServiceAccount) > 253 || !subdomain.MatchString(w.ServiceAccount) {
		c.add(at+".serviceAccount", "%q is not the name of one service account: use at most 253 of a-z, 0-9, - and .", w.ServiceAccount)
	}
	if w.ServiceAccount == "default" {
		c.add(at+".serviceAccount", "every pod of the namespace that names no other has %q: make one for the workload", "default")
	}
}

func (g *GitLabJob) check(c *checker, at string) {
	switch {
	case g.Project == "":
		c.add(at+".project", "is missing: without it jobs of every project could log in")
	case !projectForm.MatchString(g.Project):
		c.add(at+".project", "%q is not the path of one project: expected one such as %q", g.Project, "group/project")
	}
	switch {
	case g.Branch == "":
		c.add(at+".branch", "is missing: without it everyone who can push a branch could log in")
	case !branchForm.MatchString(g.Branch):
		c.add(at+".branch", "%q is not the name of one branch", g.Branch)
	}
}

// checkPath returns what is wrong with a path of the kv engine, or "".
func (a *Args) checkPath(path string) string {
	inside, ok := strings.CutPrefix(path, a.KVMount+"/")
	if !ok || inside == "" {
		return fmt.Sprintf("%q is outside of the kv engine: expected a path such as %q", path, a.KVMount+"/shop/catalog")
	}
	parts := strings.Split(inside, "/")
	if last := len(parts) - 1; parts[last] == "*" {
		if last == 0 {
			return fmt.Sprintf("%q is every secret there is: name a folder before the *", path)
		}
		parts = parts[:last]
	}
	for _, part := range parts {
		switch {
		case part == ".." || part == ".":
			return fmt.Sprintf("%q contains %q: write the path in full", path, part)
		case strings.Contains(part, "*"):
			return fmt.Sprintf("%q has a * in the middle: it can only stand alone at the end, for all that is below", path)
		case !segment.MatchString(part):
			return fmt.Sprintf("%q has a part %q: use letters, digits, _, - and . between single slashes", path, part)
		}
	}
	return ""
}

func (a *Args) knownDatabases() string {
	if len(a.Databases) == 0 {
		return "none is declared"
	}
	names := make([]string, len(a.Databases))
	for i, d := range a.Databases {
		names[i] = fmt.Sprintf("%q", d.Name)
	}
	return "expected one of " + strings.Join(names, ", ")
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// checker collects problems.
type checker struct {
	problems []Problem
	workload string
}

func (c *checker) add(path, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if c.workload != "" {
		message = fmt.Sprintf("workload %q: %s", c.workload, message)
	}
	c.problems = append(c.problems, Problem{path, message})
}

func (c *checker) name(path, name string, limit int) {
	if !nameForm.MatchString(name) || len(name) > limit {
		c.add(path, "%q is no usable name: expected at most %d letters of lower case, digits and single hyphens, beginning with a letter", name, limit)
	}
}

func (c *checker) mount(path, mount string) {
	if !nameForm.MatchString(mount) {
		c.add(path, "%q is no usable path of an engine: expected letters of lower case, digits and single hyphens, such as %q", mount, "kv")
	}
	if slices.Contains([]string{"sys", "auth", "identity", "cubbyhole", "audit"}, mount) {
		c.add(path, "%q belongs to Vault itself: choose another path", mount)
	}
}

func (c *checker) unique(seen map[string]int, list, at, what, name string, i int) {
	if first, taken := seen[name]; taken {
		c.add(at+".name", "%s %q: %s[%d] has this name too: names are unique", what, name, list, first)
		return
	}
	seen[name] = i
}

// maxTTL is the system's default limit in Vault: a longer one would be cut silently.
const maxTTL = 768 * time.Hour

func (c *checker) ttl(at string, ttl, limit time.Duration) {
	ttl, limit = or(ttl, defaultTTL), or(limit, defaultMaxTTL)
	switch {
	case ttl < time.Second || ttl%time.Second != 0:
		c.add(at+".ttl", "%s is no usable time: expected whole seconds, at least one", ttl)
	case limit%time.Second != 0 || limit > maxTTL:
		c.add(at+".maxTtl", "%s is no usable time: expected whole seconds, at most %s", limit, maxTTL)
	case ttl > limit:
		c.add(at+".ttl", "%s is longer than maxTtl, %s: lower ttl or raise maxTtl", ttl, limit)
	}
}
