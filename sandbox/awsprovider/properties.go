package awsprovider

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/strongroom-platform/strongroom/sandbox/account"
)

// toAccount returns properties as the account takes them: secrets opened, values that
// are not known yet as account.Unknown. Nulls are left out.
func toAccount(m resource.PropertyMap) map[string]any {
	out := make(map[string]any, len(m))
	for key, v := range m {
		if !v.IsNull() {
			out[string(key)] = toAccountValue(v)
		}
	}
	return out
}

func toAccountValue(v resource.PropertyValue) any {
	switch {
	case v.IsNull():
		return nil
	case v.IsSecret():
		return toAccountValue(v.SecretValue().Element)
	case v.IsComputed():
		return account.Unknown{}
	case v.IsOutput():
		if !v.OutputValue().Known {
			return account.Unknown{}
		}
		return toAccountValue(v.OutputValue().Element)
	case v.IsResourceReference():
		return toAccountValue(v.ResourceReferenceValue().ID)
	case v.IsArray():
		items := make([]any, len(v.ArrayValue()))
		for i, item := range v.ArrayValue() {
			items[i] = toAccountValue(item)
		}
		return items
	case v.IsObject():
		return toAccount(v.ObjectValue())
	}
	return v.V
}

// fromAccount is the inverse of toAccount, without the secrets.
func fromAccount(m map[string]any) resource.PropertyMap {
	out := make(resource.PropertyMap, len(m))
	for key, v := range m {
		if v != nil {
			out[resource.PropertyKey(key)] = fromAccountValue(v)
		}
	}
	return out
}

func fromAccountValue(v any) resource.PropertyValue {
	switch v := v.(type) {
	case account.Unknown:
		return resource.MakeComputed(resource.NewProperty(""))
	case []any:
		items := make([]resource.PropertyValue, len(v))
		for i, item := range v {
			items[i] = fromAccountValue(item)
		}
		return resource.NewProperty(items)
	case map[string]any:
		return resource.NewProperty(fromAccount(v))
	}
	return resource.NewPropertyValue(v)
}

// withSecrets makes secret what is secret in others, which are inputs or earlier outputs
// of the same resource. The account itself knows no secrets.
func withSecrets(m resource.PropertyMap, others ...resource.PropertyMap) resource.PropertyMap {
	out := m.Copy()
	for _, other := range others {
		for key, v := range out {
			out[key] = likeSecret(v, other[key])
		}
		if tags, given := other["tags"]; given {
			if all, given := out["tagsAll"]; given {
				out["tagsAll"] = likeSecret(all, tags)
			}
		}
	}
	return out
}

// likeSecret makes v secret where other is. Where the two have another form, as a policy
// given as an object and kept as text, all of v is.
func likeSecret(v, other resource.PropertyValue) resource.PropertyValue {
	switch {
	case !other.ContainsSecrets() || v.IsSecret():
		return v
	case other.IsSecret() || other.IsOutput():
		return resource.MakeSecret(v)
	case v.IsObject() && other.IsObject():
		out := v.ObjectValue().Copy()
		for key, item := range out {
			out[key] = likeSecret(item, other.ObjectValue()[key])
		}
		return resource.NewProperty(out)
	case v.IsArray() && other.IsArray() && len(v.ArrayValue()) == len(other.ArrayValue()):
		items := make([]resource.PropertyValue, len(v.ArrayValue()))
		for i, item := range v.ArrayValue() {
			items[i] = likeSecret(item, other.ArrayValue()[i])
		}
		return resource.NewProperty(items)
	}
	return resource.MakeSecret(v)
}
