package account

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func (w *world) role() *Object {
	w.t.Helper()
	return w.create(typeRole, m{"assumeRolePolicy": ec2Trust})
}

func TestRoleLifecycle(t *testing.T) {
	w := newWorld(t)
	role := w.create(typeRole, m{"name": "nodes", "path": "/eks/", "assumeRolePolicy": ec2Trust})
	require.Equal(t, "nodes", role.ID)
	require.Equal(t, "arn:aws:iam::123456789012:role/eks/nodes", role.Outputs["arn"])
	require.Regexp(t, `^AROA[A-Z0-9]{17}$`, role.Outputs["uniqueId"])
	require.Equal(t, 3600.0, role.Outputs["maxSessionDuration"])

	_, err := w.tryIn("eu-west-1", typeRole, m{"name": "nodes", "assumeRolePolicy": ec2Trust})
	refused(t, err, "EntityAlreadyExists")
	require.NoError(t, w.update(role, m{"description": "changed", "assumeRolePolicy": strings.Replace(ec2Trust, "ec2", "eks", 1)}))
	refused(t, w.update(role, m{"assumeRolePolicy": `{"Statement":[]}`}), "MalformedPolicyDocument")
	require.NoError(t, w.delete(role))
	require.Empty(t, w.a.Objects())
	gone(t, w.delete(role))
}

func TestRoleInUseIsNotDeleted(t *testing.T) {
	for name, use := range map[string]func(w *world, role *Object) *Object{
		"policy attached": func(w *world, role *Object) *Object {
			return w.create(typeRolePolicyAttachment, m{"role": role.ID, "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"})
		},
		"inline policy": func(w *world, role *Object) *Object {
			return w.create(typeRolePolicy, m{"role": role.ID, "policy": readLogs})
		},
		"instance profile": func(w *world, role *Object) *Object {
			return w.create(typeInstanceProfile, m{"role": role.ID})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			role := w.role()
			user := use(w, role)
			refused(t, w.delete(role), "DeleteConflict")
			require.NoError(t, w.delete(user))
			require.NoError(t, w.delete(role))
		})
	}
}

func TestForceDetachPolicies(t *testing.T) {
	w := newWorld(t)
	role := w.create(typeRole, m{"assumeRolePolicy": ec2Trust, "forceDetachPolicies": true})
	w.create(typeRolePolicyAttachment, m{"role": role.ID, "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"})
	w.create(typeRolePolicy, m{"role": role.ID, "policy": readLogs})
	require.NoError(t, w.delete(role))
	require.Empty(t, w.a.Objects(), "what was attached goes with the role")
}

func TestRoleShowsItsPolicies(t *testing.T) {
	w := newWorld(t)
	role := w.role()
	w.create(typeRolePolicyAttachment, m{"role": role.ID, "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"})
	w.create(typeRolePolicy, m{"name": "logs", "role": role.ID, "policy": readLogs})
	read := w.read(role)
	require.Equal(t, l("arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"), read.Outputs["managedPolicyArns"])
	require.Equal(t, l(m{"name": "logs", "policy": readLogs}), read.Outputs["inlinePolicies"])
}

func TestTrustPolicies(t *testing.T) {
	w := newWorld(t)
	other := w.role()
	statement := func(fields string) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",%s}]}`, fields)
	}
	for name, test := range map[string]struct{ policy, code string }{
		"another role":          {statement(`"Principal":{"AWS":"` + other.Outputs["arn"].(string) + `"},"Action":"sts:AssumeRole"`), ""},
		"the account":           {statement(`"Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["sts:AssumeRole","sts:TagSession"]`), ""},
		"pod identity":          {statement(`"Sid":"EksPodIdentity","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"aws:RequestTag/kubernetes-namespace":"vault"}}`), ""},
		"a role that is gone":   {statement(`"Principal":{"AWS":"arn:aws:iam::123456789012:role/gone"},"Action":"sts:AssumeRole"`), "MalformedPolicyDocument"},
		"not a service":         {statement(`"Principal":{"Service":"ec2"},"Action":"sts:AssumeRole"`), "MalformedPolicyDocument"},
		"no principal":          {statement(`"Action":"sts:AssumeRole"`), "MalformedPolicyDocument"},
		"a resource":            {statement(`"Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole","Resource":"*"`), "MalformedPolicyDocument"},
		"another action":        {statement(`"Principal":{"Service":"ec2.amazonaws.com"},"Action":"s3:GetObject"`), "MalformedPolicyDocument"},
		"no action":             {statement(`"Principal":{"Service":"ec2.amazonaws.com"}`), "MalformedPolicyDocument"},
		"a slip in a field":     {statement(`"Principals":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"`), "MalformedPolicyDocument"},
		"no statement":          {`{"Version":"2012-10-17"}`, "MalformedPolicyDocument"},
		"an old version":        {strings.Replace(ec2Trust, "2012", "2011", 1), "MalformedPolicyDocument"},
		"a wrong effect":        {strings.Replace(ec2Trust, "Allow", "allow", 1), "MalformedPolicyDocument"},
		"a bare condition":      {statement(`"Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"namespace":"vault"}}`), "MalformedPolicyDocument"},
		"a slip in an operator": {statement(`"Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEqual":{"aws:SourceAccount":"123456789012"}}`), "MalformedPolicyDocument"},
		"operators": {statement(`"Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":"a*"},
			"ArnLike":{"aws:SourceArn":"arn:aws:eks:*:123456789012:*"},"DateLessThanEquals":{"aws:CurrentTime":"2030-01-01T00:00:00Z"},"Null":{"aws:TokenIssueTime":"true"},
			"StringNotEqualsIgnoreCase":{"aws:PrincipalTag/a":"b"},"NumericGreaterThan":{"s3:max-keys":"1"},"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), ""},
		"too long": {statement(`"Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceArn":"` + strings.Repeat("x", 2048) + `"}}`), "LimitExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeRole, m{"assumeRolePolicy": test.policy})
			if test.code == "" {
				require.NoError(t, err)
				return
			}
			refused(t, err, test.code)
		})
	}
}

func TestRoleInputsAreChecked(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		inputs m
		want   string
	}{
		"no trust":      {m{}, "assumeRolePolicy: is required"},
		"not JSON":      {m{"assumeRolePolicy": "ec2"}, "not a JSON object"},
		"name":          {m{"assumeRolePolicy": ec2Trust, "name": "a b"}, "name: "},
		"long name":     {m{"assumeRolePolicy": ec2Trust, "name": strings.Repeat("x", 65)}, "1 to 64"},
		"path":          {m{"assumeRolePolicy": ec2Trust, "path": "eks"}, "begin and end with a slash"},
		"session":       {m{"assumeRolePolicy": ec2Trust, "maxSessionDuration": 60}, "expected 3600 to 43200"},
		"exclusive":     {m{"assumeRolePolicy": ec2Trust, "managedPolicyArns": l("arn:aws:iam::aws:policy/ReadOnlyAccess")}, "not modelled"},
		"long name, up": {m{"assumeRolePolicy": ec2Trust, "description": strings.Repeat("x", 1001)}, "at most 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeRole, test.inputs)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestRoleDiff(t *testing.T) {
	role, err := Lookup(typeRole)
	require.NoError(t, err)
	given := m{"name": "nodes", "path": "/", "assumeRolePolicy": ec2Trust}
	for name, test := range map[string]struct {
		old, change m
		want        Diff
	}{
		"formatting": {given, m{"assumeRolePolicy": strings.ReplaceAll(ec2Trust, ",", ",\n ")}, Diff{}},
		"trust":      {given, m{"assumeRolePolicy": strings.Replace(ec2Trust, "ec2", "eks", 1)}, Diff{Changed: []string{"assumeRolePolicy"}}},
		"name":       {given, m{"name": "others"}, Diff{Changed: []string{"name"}, Replaces: []string{"name"}}},
		"path, name fixed": {given, m{"path": "/eks/"},
			Diff{Changed: []string{"path"}, Replaces: []string{"path"}, DeleteBeforeReplace: true}},
	} {
		t.Run(name, func(t *testing.T) {
			news := cloneMap(test.old)
			for k, v := range test.change {
				news[k] = v
			}
			require.Equal(t, test.want, role.Diff(test.old, test.old, news))
		})
	}
}
