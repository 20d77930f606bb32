package account

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
)

// policyKind says where a policy document stands, which decides what its
// statements must and must not hold.
type policyKind struct {
	code      string // of a refusal
	principal bool   // statements name principals; otherwise they must not
	resource  bool   // statements name resources; otherwise they must not
}

var (
	trustPolicy    = policyKind{code: "MalformedPolicyDocument", principal: true}
	identityPolicy = policyKind{code: "MalformedPolicyDocument", resource: true}
	keyPolicy      = policyKind{code: "MalformedPolicyDocumentException", principal: true, resource: true}
)

// policyStatement is one statement, with single values brought into lists.
type policyStatement struct {
	allow      bool
	principals map[string][]string // "AWS", "Service", "Federated"; nil for NotPrincipal
	actions    []string            // nil for NotAction
	resources  []string            // nil for NotResource
}

var (
	policyFields = map[string]bool{
		"Sid": true, "Effect": true, "Principal": true, "NotPrincipal": true, "Action": true, "NotAction": true,
		"Resource": true, "NotResource": true, "Condition": true,
	}
	actionForm   = regexp.MustCompile(`^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$`)
	sidForm      = regexp.MustCompile(`^[A-Za-z0-9]*$`)
	resourceForm = regexp.MustCompile(`^arn:[^:]*:[^:]*:[^:]*:[^:]*:.+$`)
	serviceForm  = regexp.MustCompile(`^[a-z0-9.-]+\.amazonaws\.com$`)
	accountForm  = regexp.MustCompile(`^\d{12}$`)
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
	operatorForm = regexp.MustCompile(`^(Null|((ForAnyValue|ForAllValues):)?(String(Not)?Equals(IgnoreCase)?|String(Not)?Like|` +
		`(Numeric|Date)((Not)?Equals|(Less|Greater)Than(Equals)?)|Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like))(IfExists)?)$`)
)

// policyStatements reads a policy document as IAM and KMS do:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func (v *view) policyStatements(text string, kind policyKind) ([]policyStatement, error) {
	malformed := func(format string, args ...any) error { return refuse(kind.code, format, args...) }
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return nil, malformed("the policy is not a JSON object: %v", err)
	}
	for _, field := range sorted(doc) {
		if field != "Version" && field != "Id" && field != "Statement" {
			return nil, malformed("the policy has a field %q: expected Version, Id and Statement", field)
		}
	}
	if version, given := doc["Version"]; given && version != "2012-10-17" && version != "2008-10-17" {
		return nil, malformed("the policy must contain a valid version string, got %v: use \"2012-10-17\"", version)
	}
	items, ok := doc["Statement"].([]any)
	if !ok {
		items = []any{doc["Statement"]}
	}
	if len(items) == 0 || doc["Statement"] == nil {
		return nil, malformed("the policy has no Statement")
	}
	var statements []policyStatement
	sids := map[string]bool{}
	for i, item := range items {
		fields, ok := item.(map[string]any)
		if !ok {
			return nil, malformed("statement %d of the policy is not an object", i+1)
		}
		if sid, _ := fields["Sid"].(string); sid != "" {
			if sids[sid] {
				return nil, malformed("statement IDs (SID) in a single policy must be unique: %q is there twice", sid)
			}
			if !kind.principal && !sidForm.MatchString(sid) {
				return nil, malformed("statement IDs (SID) must be alpha-numeric: %q is not", sid)
			}
			sids[sid] = true
		}
		statement, problem := readStatement(fields, kind)
		if problem == "" && kind.principal {
			problem = v.checkPrincipals(statement.principals)
		}
		if problem != "" {
			return nil, malformed("statement %d of the policy: %s", i+1, problem)
		}
		statements = append(statements, statement)
	}
	return statements, nil
}

func readStatement(fields map[string]any, kind policyKind) (policyStatement, string) {
	var s policyStatement
	for _, name := range sorted(fields) {
		if !policyFields[name] {
			return s, "there is no field " + name
		}
	}
	switch fields["Effect"] {
	case "Allow":
		s.allow = true
	case "Deny":
	default:
		return s, `Effect must be "Allow" or "Deny"`
	}
	if problem := readActions(fields, kind, &s); problem != "" {
		return s, problem
	}
	if problem := readResources(fields, kind, &s); problem != "" {
		return s, problem
	}
	if problem := readPrincipals(fields, kind, &s); problem != "" {
		return s, problem
	}
	return s, checkConditions(fields["Condition"])
}

func readActions(fields map[string]any, kind policyKind, s *policyStatement) string {
	actions, ok := textList(fields["Action"])
	excluded, okExcluded := textList(fields["NotAction"])
	if !ok || !okExcluded || (len(actions) == 0) == (len(excluded) == 0) {
		return "policy statement must contain actions: give Action or NotAction"
	}
	for _, action := range append(append([]string{}, actions...), excluded...) {
		if action != "*" && !actionForm.MatchString(action) {
			return "actions must be prefaced by a vendor, such as ec2:DescribeVpcs: " + action + " is not"
		}
		if !kind.resource && !strings.HasPrefix(strings.ToLower(action), "sts:") {
			return "AssumeRole policy may only specify STS AssumeRole actions: " + action + " is not one"
		}
	}
	s.actions = actions
	return ""
}

func readResources(fields map[string]any, kind policyKind, s *policyStatement) string {
	resources, ok := textList(fields["Resource"])
	excluded, okExcluded := textList(fields["NotResource"])
	if !kind.resource {
		if fields["Resource"] != nil || fields["NotResource"] != nil {
			return "has prohibited field Resource"
		}
		return ""
	}
	if !ok || !okExcluded || (len(resources) == 0) == (len(excluded) == 0) {
		return "policy statement must contain resources: give Resource or NotResource"
	}
	for _, resource := range append(append([]string{}, resources...), excluded...) {
		if resource != "*" && !resourceForm.MatchString(resource) {
			return "resource " + resource + ` must be in ARN format or "*"`
		}
	}
	s.resources = resources
	return ""
}

func readPrincipals(fields map[string]any, kind policyKind, s *policyStatement) string {
	_, excluded := fields["NotPrincipal"]
	given, named := fields["Principal"]
	if !kind.principal {
		if named || excluded {
			return "policy document should not specify a principal"
		}
		return ""
	}
	if named == excluded {
		return "has no principal: give Principal"
	}
	if excluded {
		return ""
	}
	s.principals = map[string][]string{}
	if given == "*" {
		s.principals["AWS"] = []string{"*"}
		return ""
	}
	byKind, ok := given.(map[string]any)
	if !ok || len(byKind) == 0 {
		return `Principal must be "*" or an object with AWS, Service or Federated`
	}
	for _, name := range sorted(byKind) {
		list, ok := textList(byKind[name])
		if !ok || len(list) == 0 {
			return "Principal." + name + " must be a string or a list of strings"
		}
		s.principals[name] = list
	}
	return ""
}

// checkPrincipals finds principals that do not exist: AWS resolves roles and
// users to their unique IDs when it stores a policy.
func (v *view) checkPrincipals(principals map[string][]string) string {
	for _, kind := range sorted(principals) {
		for _, principal := range principals[kind] {
			if !v.principalExists(kind, principal) {
				return `invalid principal in policy: "` + kind + `":"` + principal + `"`
			}
		}
	}
	return ""
}

func (v *view) principalExists(kind, principal string) bool {
	switch kind {
	case "Service":
		return serviceForm.MatchString(principal)
	case "Federated":
		return strings.HasPrefix(principal, "arn:aws:iam::") || !strings.Contains(principal, ":")
	case "AWS":
	default:
		return false
	}
	if principal == "*" || accountForm.MatchString(principal) {
		return true
	}
	parts := strings.SplitN(principal, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] != "aws" || parts[2] != "iam" || !accountForm.MatchString(parts[4]) {
		return false
	}
	if parts[5] == "root" || parts[4] != AccountID {
		return true
	}
	return principal == OperatorARN || principal == StrangerARN || v.roleByARN(principal) != nil
}

func checkConditions(v any) string {
	if v == nil {
		return ""
	}
	operators, ok := v.(map[string]any)
	if !ok {
		return "Condition must be an object"
	}
	for _, operator := range sorted(operators) {
		if !operatorForm.MatchString(operator) {
			return "invalid Condition type: " + operator
		}
		keys, ok := operators[operator].(map[string]any)
		if !ok {
			return "Condition." + operator + " must be an object of condition keys"
		}
		for _, key := range sorted(keys) {
			if !strings.Contains(key, ":") {
				return "condition key " + key + " must be prefaced by a vendor, such as aws:SourceArn"
			}
		}
	}
	return ""
}

// textList reads a string or a list of strings; a missing value is an empty
// list.
func textList(v any) ([]string, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case string:
		return []string{v}, true
	case []any:
		var out []string
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil, false
			}
			out = append(out, s)
		}
		return out, true
	}
	return nil, false
}

// policySize is how IAM counts a document: white space does not.
func policySize(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// wildcard matches a pattern with * and ? as IAM does.
func wildcard(pattern, s string) bool {
	var expr strings.Builder
	for _, r := range pattern {
		switch r {
		case '*':
			expr.WriteString(".*")
		case '?':
			expr.WriteString(".")
		default:
			expr.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	matched, err := regexp.MatchString("(?i)^"+expr.String()+"$", s)
	return err == nil && matched
}
