// Package policy evaluates IAM policies as far as the platform's policies need
// it, so that least privilege is proven by refusals and not by reading.
//
// It knows Allow and Deny, Action, NotAction, Resource, NotResource, Principal,
// and conditions with StringEquals, StringLike, ArnEquals, ArnLike, Bool and
// Null, also with IfExists and Not. A statement with anything else is evaluated
// to the safe side: an Allow does not apply, a Deny does.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
package policy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Request is what somebody wants to do.
type Request struct {
	// Action is "kms:Decrypt", Resource an ARN.
	Action, Resource string
	// Principals are what a policy may call the caller: the role's ARN, the
	// session's, the account's root. Only policies of resources name any.
	Principals []string
	// Context are the condition keys that are known, in lower case.
	Context map[string]string
}

// Decision is what policies say about a request.
type Decision int

// The decisions. A Denied is final, Undecided counts as a refusal in the end.
const (
	Undecided Decision = iota
	Allowed
	Denied
)

// Evaluate reads policies that belong to the caller: their statements name no
// principal.
func Evaluate(documents []string, request Request) (Decision, error) {
	return evaluate(documents, request, false)
}

// EvaluateResource reads the policy of a resource, whose statements name
// principals.
func EvaluateResource(document string, request Request) (Decision, error) {
	return evaluate([]string{document}, request, true)
}

func evaluate(documents []string, request Request, ofResource bool) (Decision, error) {
	decision := Undecided
	for _, text := range documents {
		statements, err := parse(text)
		if err != nil {
			return Denied, err
		}
		for _, s := range statements {
			if ofResource && !s.namesPrincipal(request) {
				continue
			}
			if !s.about(request) {
				continue
			}
			met, known := s.conditionsMet(request)
			switch {
			case s.Effect == "Deny" && (met || !known):
				return Denied, nil
			case s.Effect == "Allow" && met && known:
				decision = Allowed
			}
		}
	}
	return decision, nil
}

type statement struct {
	Effect                string
	Action, NotAction     texts
	Resource, NotResource texts
	Principal             json.RawMessage
	NotPrincipal          json.RawMessage
	Condition             map[string]map[string]texts
}

// texts is a string or a list of strings.
type texts []string

func (t *texts) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = texts{one}
		return nil
	}
	var flag bool
	if json.Unmarshal(data, &flag) == nil {
		*t = texts{fmt.Sprint(flag)}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

func parse(text string) ([]statement, error) {
	var document struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return nil, fmt.Errorf("a policy is not a JSON object: %w", err)
	}
	var many []statement
	if err := json.Unmarshal(document.Statement, &many); err == nil {
		return many, nil
	}
	var one statement
	if err := json.Unmarshal(document.Statement, &one); err != nil {
		return nil, fmt.Errorf("the statements of a policy: %w", err)
	}
	return []statement{one}, nil
}

// about says whether a statement is about the request's action and resource.
func (s statement) about(r Request) bool {
	action := matchesAny(s.Action, r.Action, true)
	if len(s.NotAction) > 0 {
		action = !matchesAny(s.NotAction, r.Action, true)
	}
	resource := matchesAny(s.Resource, r.Resource, false)
	if len(s.NotResource) > 0 {
		resource = !matchesAny(s.NotResource, r.Resource, false)
	}
	return action && resource
}

func (s statement) namesPrincipal(r Request) bool {
	if len(s.NotPrincipal) > 0 {
		return s.Effect == "Deny" // the safe side
	}
	var everybody string
	if json.Unmarshal(s.Principal, &everybody) == nil {
		return everybody == "*"
	}
	var named map[string]texts
	if json.Unmarshal(s.Principal, &named) != nil {
		return false
	}
	for _, name := range named["AWS"] {
		if name == "*" {
			return true
		}
		for _, caller := range r.Principals {
			if name == caller {
				return true
			}
		}
	}
	return false
}

// conditionsMet says whether all conditions are met, and whether all of them
// are of a kind that is known here.
func (s statement) conditionsMet(r Request) (met, known bool) {
	met, known = true, true
	for operator, keys := range s.Condition {
		for key, wanted := range keys {
			ok, understood := condition(operator, wanted, r.Context, strings.ToLower(key))
			met, known = met && ok, known && understood
		}
	}
	return met, known
}

func condition(operator string, wanted texts, context map[string]string, key string) (met, known bool) {
	value, present := context[key]
	if operator == "Null" {
		return len(wanted) == 1 && (wanted[0] == "true") == !present, true
	}
	base, ifExists := strings.CutSuffix(operator, "IfExists")
	negated := strings.Contains(base, "Not")
	base = strings.Replace(base, "Not", "", 1)
	var matches func(pattern, value string) bool
	switch base {
	case "StringEquals":
		matches = func(pattern, value string) bool { return pattern == value }
	case "StringEqualsIgnoreCase", "Bool":
		matches = strings.EqualFold
	case "StringLike", "ArnLike", "ArnEquals":
		matches = func(pattern, value string) bool { return wildcard(pattern, value, false) }
	default:
		return false, false
	}
	if !present {
		return ifExists || negated, true
	}
	for _, pattern := range wanted {
		if matches(pattern, value) {
			return !negated, true
		}
	}
	return negated, true
}

func matchesAny(patterns texts, value string, ignoreCase bool) bool {
	for _, pattern := range patterns {
		if wildcard(pattern, value, ignoreCase) {
			return true
		}
	}
	return false
}

// wildcard matches a pattern with * and ? as IAM does.
func wildcard(pattern, value string, ignoreCase bool) bool {
	expression := regexp.QuoteMeta(pattern)
	expression = strings.ReplaceAll(strings.ReplaceAll(expression, `\*`, ".*"), `\?`, ".")
	flags := "(?s)"
	if ignoreCase {
		flags = "(?si)"
	}
	matched, err := regexp.MatchString(flags+"^"+expression+"$", value)
	return err == nil && matched
}
