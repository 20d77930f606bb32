# What Pulumi may do in Vault: declare auth methods, engines, roles and policies. It
# writes who may read which secret, so whoever holds it can get at everything in the
# end; it is short-lived, comes from one service account, and every use is audited.
# It may not read secrets, may not touch the audit devices, and may not change itself:
# the first start wrote this policy, and only a root token can write another.

path "sys/auth" {
  capabilities = ["read"]
}

path "sys/auth/*" {
  capabilities = ["create", "read", "update", "delete", "sudo"]
}

path "auth/+/config" {
  capabilities = ["create", "read", "update", "delete"]
}

path "auth/+/config/*" {
  capabilities = ["create", "read", "update", "delete"]
}

path "auth/+/role" {
  capabilities = ["list"]
}

path "auth/+/role/*" {
  capabilities = ["create", "read", "update", "delete", "list"]
}

path "sys/mounts" {
  capabilities = ["read"]
}

path "sys/mounts/*" {
  capabilities = ["create", "read", "update", "delete"]
}

# Engines, wherever they are mounted: the configuration of kv-v2, the connections and
# roles of databases, and the change of a database's root password.
path "+/config" {
  capabilities = ["create", "read", "update", "delete"]
}

path "+/config/*" {
  capabilities = ["create", "read", "update", "delete"]
}

path "+/roles/*" {
  capabilities = ["create", "read", "update", "delete", "list"]
}

path "+/rotate-root/*" {
  capabilities = ["create", "update"]
}

path "sys/policies/acl" {
  capabilities = ["list"]
}

path "sys/policies/acl/*" {
  capabilities = ["create", "read", "update", "delete"]
}

# Read, to see that both devices are there.
path "sys/audit" {
  capabilities = ["read", "sudo"]
}

# With enough recovery keys, a root token or other recovery keys: Vault 2.x asks for a
# token besides the keys. Without the keys it gives nothing.
path "sys/generate-root/*" {
  capabilities = ["create", "read", "update", "delete", "sudo"]
}

path "sys/rekey-recovery-key/*" {
  capabilities = ["create", "read", "update", "delete", "sudo"]
}

# Its own policy, mount and role, and the role of the snapshots beside it.
path "sys/policies/acl/provisioner" {
  capabilities = ["read"]
}

path "sys/policies/acl/snapshot" {
  capabilities = ["read"]
}

path "sys/auth/provisioner" {
  capabilities = ["deny"]
}

path "sys/auth/provisioner/*" {
  capabilities = ["deny"]
}

path "auth/provisioner/*" {
  capabilities = ["deny"]
}
