# What the CronJob vault-snapshot may do: take a snapshot, and end its own token.
path "sys/storage/raft/snapshot" {
  capabilities = ["read"]
}

path "auth/token/revoke-self" {
  capabilities = ["update"]
}
