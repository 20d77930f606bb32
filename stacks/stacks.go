// Package stacks says what each strongroom stack is made of. A stack's name
// selects its program; everything else about it stands in Pulumi.<stack>.yaml.
package stacks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Role is the program that a stack runs.
type Role string

const (
	// Tooling is the stack with Vault. It needs no other stack.
	Tooling Role = "tooling"
	// Application is the stack whose workloads take their secrets from the Vault
	// of a tooling stack.
	Application Role = "application"
)

// roles are all roles in dependency order: a stack may read the outputs of stacks
// whose role stands before its own, and of no others.
var roles = []Role{Tooling, Application}

// Run is [Host.Run] in a process that ends with the engine, which closes all.
func Run(ctx *pulumi.Context) error { return (&Host{}).Run(ctx) }

// Known lists the roles there are, in dependency order.
func Known() []string {
	known := make([]string, len(roles))
	for i, r := range roles {
		known[i] = string(r)
	}
	return known
}

// RoleOf returns the role of a stack: roleKey, the value of `strongroom:role` in
// the stack's configuration, where that is not empty, and else the first word of
// the stack's name, so that "tooling-staging" is a tooling stack. A name such as
// "acme/strongroom/tooling" counts by its last part. An unknown role is an error
// which lists the known ones, a Problem.
func RoleOf(stackName, roleKey string) (Role, error) {
	word := roleKey
	if word == "" {
		word = firstWord(stackName)
	}
	if slices.Contains(Known(), word) {
		return Role(word), nil
	}
	if roleKey != "" {
		return "", Problem{namespace + ":role", fmt.Sprintf("unknown role %q of stack %q: expected one of %s",
			roleKey, stackName, quoted(Known()))}
	}
	return "", unknownRole(stackName, word)
}

func unknownRole(stackName, word string) error {
	return Problem{Message: fmt.Sprintf("unknown stack %q: %q is no known role: begin the name with one of %s "+
		"(as in %q), or set %s:role in Pulumi.%s.yaml",
		stackName, word, quoted(Known()), string(Tooling)+"-staging", namespace, stackName)}
}

// Order sorts stack names so that a stack comes after all that it may depend on,
// and keeps the given order where there is no dependency. roleKeys holds the
// `strongroom:role` of the stacks that set it, by stack name, and may be nil. The
// order of a destroy is the reverse.
func Order(stackNames []string, roleKeys map[string]string) ([]string, error) {
	rank := make(map[string]int, len(stackNames))
	for _, name := range stackNames {
		role, err := RoleOf(name, roleKeys[name])
		if err != nil {
			return nil, err
		}
		rank[name] = slices.Index(Known(), string(role))
	}
	ordered := slices.Clone(stackNames)
	slices.SortStableFunc(ordered, func(a, b string) int { return rank[a] - rank[b] })
	return ordered, nil
}

// firstWord returns the part of a stack's name before the first "-".
func firstWord(stackName string) string {
	if i := strings.LastIndex(stackName, "/"); i >= 0 {
		stackName = stackName[i+1:]
	}
	word, _, _ := strings.Cut(stackName, "-")
	return word
}

// quoted joins words as `"a", "b"`.
func quoted(words []string) string {
	q := make([]string, len(words))
	for i, w := range words {
		q[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(q, ", ")
}
