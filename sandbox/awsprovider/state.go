package awsprovider

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// stateOf writes an object's outputs for the engine, secret where others are.
func stateOf(outputs map[string]any, others ...resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.Marshal(withSecrets(fromAccount(outputs), others...))
}

// withoutInternal leaves out what the engine and the provider note among the inputs.
func withoutInternal(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for key, v := range m {
		if !strings.HasPrefix(key, "__") {
			out[key] = v
		}
	}
	return out
}

// known returns inputs for the account, which takes none that is not known.
func known(urn string, inputs resource.PropertyMap) (map[string]any, error) {
	for _, key := range inputs.StableKeys() {
		if inputs[key].ContainsUnknowns() {
			return nil, fmt.Errorf("%s: %s is not known yet, which can only happen in a preview", plugin.NameOf(urn), key)
		}
	}
	return toAccount(inputs), nil
}
