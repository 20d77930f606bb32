package account

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSecret(t *testing.T) {
	w := newWorld(t)
	key := w.create(typeKey, m{})
	secret := w.create(typeSecret, m{"name": "recovery", "kmsKeyId": key.Outputs["arn"]})
	require.Regexp(t, `^arn:aws:secretsmanager:eu-central-1:123456789012:secret:recovery-[0-9a-f]{6}$`, secret.ID)
	require.Equal(t, secret.ID, secret.Outputs["arn"])
	_, err := w.try(typeSecret, m{"name": "recovery"})
	refused(t, err, "ResourceExistsException")
	_, err = w.try(typeSecret, m{"name": "other", "kmsKeyId": arn("kms", testRegion, "key/gone")})
	require.ErrorContains(t, err, "does not exist")
	require.NoError(t, w.update(secret, m{"description": "changed"}))
	require.Equal(t, secret.ID, w.read(secret).ID)
	require.NoError(t, w.delete(secret))
	gone(t, w.delete(secret))
	w.create(typeSecret, m{"name": "recovery"})
}

func TestSecretInputsAreChecked(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		inputs m
		want   string
	}{
		"name":        {m{"name": "with a space"}, "must have 1 to 512"},
		"long name":   {m{"name": strings.Repeat("x", 513)}, "must have 1 to 512"},
		"window":      {m{"name": "s", "recoveryWindowInDays": 3.0}, "expected 0, or 7 to 30"},
		"description": {m{"name": "s", "description": strings.Repeat("x", 2049)}, "at most 2048"},
		"policy":      {m{"name": "s", "policy": "{}"}, "policy"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeSecret, test.inputs)
			require.ErrorContains(t, err, test.want)
		})
	}
}

// A file system is mounted once in each zone, and is not deleted while it is.
func TestFileSystem(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	a, a2, b := w.subnet(vpc, "10.0.0.0/24", "a"), w.subnet(vpc, "10.0.1.0/24", "a"), w.subnet(vpc, "10.0.2.0/24", "b")
	elsewhere := w.subnet(w.vpc("10.1.0.0/16"), "10.1.0.0/24", "c")
	system := w.create(typeFileSystem, m{"encrypted": true, "throughputMode": "elastic"})
	mount := func(subnet *Object) m { return m{"fileSystemId": system.ID, "subnetId": subnet.ID} }
	first, second := w.create(typeMountTarget, mount(a)), w.create(typeMountTarget, mount(b))
	require.NotEqual(t, first.Outputs["ipAddress"], second.Outputs["ipAddress"])
	_, err := w.try(typeMountTarget, mount(a2))
	refused(t, err, "MountTargetConflict")
	_, err = w.try(typeMountTarget, mount(elsewhere))
	refused(t, err, "MountTargetConflict")
	_, err = w.try(typeMountTarget, m{"fileSystemId": "fs-0123456789abcdef0", "subnetId": a.ID})
	require.ErrorContains(t, err, "does not exist")
	require.Equal(t, 2.0, w.read(system).Outputs["numberOfMountTargets"])

	point := w.create(typeAccessPoint, m{"fileSystemId": system.ID, "posixUser": m{"uid": 100, "gid": 1000}, "rootDirectory": m{
		"path": "/vault-0-data", "creationInfo": m{"ownerUid": 100, "ownerGid": 1000, "permissions": "0700"},
	}})
	require.Equal(t, system.Outputs["arn"], point.Outputs["fileSystemArn"])
	refused(t, w.delete(system), "FileSystemInUse")
	refused(t, w.delete(a), "DependencyViolation")
	require.NoError(t, w.delete(first))
	require.NoError(t, w.delete(second))
	require.NoError(t, w.delete(a))
	require.NoError(t, w.delete(point))
	require.NoError(t, w.delete(system))
}

func TestFileSystemInputsAreChecked(t *testing.T) {
	w := newWorld(t)
	system := w.create(typeFileSystem, m{})
	for name, test := range map[string]struct {
		typ    string
		inputs m
		want   string
	}{
		"provisioned": {typeFileSystem, m{"throughputMode": "provisioned"}, "not modelled"},
		"elastic":     {typeFileSystem, m{"throughputMode": "elastic", "performanceMode": "maxIO"}, "is not possible"},
		"key":         {typeFileSystem, m{"encrypted": false, "kmsKeyId": "k"}, `needs "encrypted"`},
		"path":        {typeAccessPoint, m{"fileSystemId": system.ID, "rootDirectory": m{"path": "data"}}, "begin with a slash"},
		"deep":        {typeAccessPoint, m{"fileSystemId": system.ID, "rootDirectory": m{"path": "/a/b/c/d/e"}}, "four folders"},
		"permissions": {typeAccessPoint, m{"fileSystemId": system.ID, "rootDirectory": m{"path": "/a", "creationInfo": m{"ownerUid": 1, "ownerGid": 1, "permissions": "rwx"}}}, "octal"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(test.typ, test.inputs)
			require.ErrorContains(t, err, test.want)
		})
	}
}
