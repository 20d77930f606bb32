# {{ .Owner }}: workload {{ .Name }}. Made from its entry in the configuration.
# Renewing and revoking its own token and leases comes with the policy "default".
{{- range .Secrets }}

path {{ hcl .Data }} {
  capabilities = [{{ .Capabilities }}]
}

path {{ hcl .Metadata }} {
  capabilities = [{{ .MetadataCapabilities }}]
}
{{- if .Delete }}

# Soft: the versions can be brought back, by someone with the right to.
path {{ hcl .Delete }} {
  capabilities = ["update"]
}
{{- end }}
{{- end }}
{{- if .Credentials }}

path {{ hcl .Credentials }} {
  capabilities = ["read"]
}
{{- end }}
