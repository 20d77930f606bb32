package iampolicy

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

var (
	sidForm      = regexp.MustCompile(`^[A-Za-z0-9]+$`)
	actionForm   = regexp.MustCompile(`^[a-z0-9-]+:[A-Za-z0-9*]+$`)
	operatorForm = regexp.MustCompile(`^[A-Za-z]+(:[A-Za-z]+)?$`)
	// everyForm is every key, role or secret: "key/*", "role*", "secret:*".
	everyForm     = regexp.MustCompile(`^[a-z-]+[/:]?[*?]+$`)
	conditionForm = regexp.MustCompile(`^[A-Za-z0-9-]+:\S+$`)
)

// Validate reports what is wrong with the document, as far as it is known
// before other resources exist; JSON checks the rest when it is.
func (d Document) Validate(kind Kind) error {
	if kind != Identity && kind != Trust && kind != Resource {
		return fmt.Errorf("policy kind %q is unknown: use %q, %q or %q", kind, Identity, Trust, Resource)
	}
	if len(d.Statements) == 0 {
		return fmt.Errorf("%s: it has no statements: add one, or leave the policy out", kind)
	}
	seen := map[string]bool{}
	for i, s := range d.Statements {
		if !sidForm.MatchString(s.Sid) {
			return fmt.Errorf("%s: statement %d has the Sid %q: use letters and digits", kind, i, s.Sid)
		}
		if seen[s.Sid] {
			return fmt.Errorf("%s: two statements have the Sid %q: use names that differ", kind, s.Sid)
		}
		seen[s.Sid] = true
		if err := s.validate(kind); err != nil {
			return fmt.Errorf("%s: statement %q: %w", kind, s.Sid, err)
		}
	}
	return nil
}

func (s Statement) validate(kind Kind) error {
	if s.Effect != "" && s.Effect != Allow && s.Effect != Deny {
		return fmt.Errorf("effect %q is unknown: use %q or %q", s.Effect, Allow, Deny)
	}
	if err := s.validateActions(kind); err != nil {
		return err
	}
	if err := s.validateResources(kind); err != nil {
		return err
	}
	if err := s.validatePrincipals(kind); err != nil {
		return err
	}
	return s.validateConditions()
}

func (s Statement) validateActions(kind Kind) error {
	if len(s.Actions) == 0 {
		return errors.New("it has no actions: name at least one")
	}
	for _, action := range s.Actions {
		if s.Effect == Deny && action == "*" {
			continue
		}
		if !actionForm.MatchString(action) {
			return fmt.Errorf("action %q is not of the form service:Action: use one such as \"kms:Decrypt\"", action)
		}
		if s.Effect != Deny && strings.Trim(action[strings.Index(action, ":")+1:], "*") == "" {
			return fmt.Errorf("action %q allows a whole service: name the actions", action)
		}
		if kind == Trust && !strings.HasPrefix(action, "sts:") {
			return fmt.Errorf("action %q does not belong into a trust policy: use actions of sts", action)
		}
	}
	return nil
}

func (s Statement) validateResources(kind Kind) error {
	if kind == Trust {
		if len(s.Resources) > 0 || s.AnyResource != "" {
			return errors.New("a trust policy has no resources: it is for the role that carries it, leave them out")
		}
		return nil
	}
	if len(s.Resources) > 0 && s.AnyResource != "" {
		return errors.New("it has both resources and a reason for any resource: give one of them")
	}
	if len(s.Resources) == 0 && s.AnyResource == "" {
		return errors.New("it has no resources: give ARNs, or say in AnyResource why there can be none")
	}
	if s.AnyResource != "" && strings.TrimSpace(s.AnyResource) == "" {
		return errors.New("the reason for any resource is blank: say why there can be no ARN")
	}
	for i, r := range s.Resources {
		if r == nil {
			return fmt.Errorf("resource %d is nil: give its ARN", i)
		}
		if plain, ok := r.(pulumi.String); ok {
			if err := s.checkResource(string(plain)); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkResource is for values that are known.
func (s Statement) checkResource(arn string) error {
	if s.Effect == Deny && arn == "*" {
		return nil
	}
	if arn == "*" {
		return errors.New(`resource "*": name the ARN, or say in AnyResource why there can be none`)
	}
	// arn:partition:service:region:account:resource, where the last part may
	// have colons of its own.
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return fmt.Errorf("resource %q is not an ARN: use one such as \"arn:aws:s3:::bucket\"", arn)
	}
	if s.Effect == Deny {
		return nil
	}
	if strings.ContainsAny(parts[2], "*?") || strings.Trim(parts[5], "*?") == "" {
		return fmt.Errorf("resource %q stands for everything of a service: name the ARN", arn)
	}
	// Without an account it is a bucket, and "<bucket>/*" is its objects.
	if parts[4] != "" && everyForm.MatchString(parts[5]) {
		return fmt.Errorf("resource %q stands for everything of a kind: name the ARN", arn)
	}
	return nil
}

func (s Statement) validatePrincipals(kind Kind) error {
	if kind == Identity {
		if len(s.Principals) > 0 {
			return errors.New("an identity policy has no principals: it is for the role that carries it, leave them out")
		}
		return nil
	}
	if len(s.Principals) == 0 {
		return errors.New("it has no principals: say who it is for")
	}
	types := map[PrincipalType]bool{}
	for _, p := range s.Principals {
		switch p.Type {
		case AWS, Service, Federated:
		default:
			return fmt.Errorf("principal type %q is unknown: use %q, %q or %q", p.Type, AWS, Service, Federated)
		}
		if types[p.Type] {
			return fmt.Errorf("principals of type %q are given twice: put them into one", p.Type)
		}
		types[p.Type] = true
		if len(p.IDs) == 0 {
			return fmt.Errorf("the principal of type %q has no identifiers: name at least one", p.Type)
		}
		for i, id := range p.IDs {
			if id == nil {
				return fmt.Errorf("principal %d of type %q is nil: give its ARN or name", i, p.Type)
			}
			if plain, ok := id.(pulumi.String); ok {
				if err := s.checkPrincipal(string(plain)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s Statement) checkPrincipal(id string) error {
	if id == "" {
		return errors.New("a principal is empty: give its ARN or name")
	}
	if s.Effect != Deny && strings.Contains(id, "*") {
		return fmt.Errorf("principal %q lets in anyone: name the principals", id)
	}
	return nil
}

func (s Statement) validateConditions() error {
	seen := map[string]bool{}
	for _, c := range s.Conditions {
		if !operatorForm.MatchString(c.Operator) {
			return fmt.Errorf("condition operator %q is not one of IAM's: use one such as %q", c.Operator, "StringEquals")
		}
		if !conditionForm.MatchString(c.Key) {
			return fmt.Errorf("condition key %q is not of the form service:key: use one such as \"aws:SourceAccount\"", c.Key)
		}
		at := c.Operator + " " + c.Key
		if seen[at] {
			return fmt.Errorf("condition %s %q is given twice: put the values into one", c.Operator, c.Key)
		}
		seen[at] = true
		if len(c.Values) == 0 {
			return fmt.Errorf("condition %s %q has no values: give at least one", c.Operator, c.Key)
		}
		for i, v := range c.Values {
			if v == nil {
				return fmt.Errorf("condition %s %q: value %d is nil: give it or leave it out", c.Operator, c.Key, i)
			}
		}
	}
	return nil
}
