package kubernetes

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"sigs.k8s.io/yaml"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// chartArgs are the inputs of a Chart.
type chartArgs struct {
	chart, version, name, namespace, resourcePrefix string
	devel, dependencyUpdate, skipCRDs, skipAwait    bool
	plainHTTP                                       bool
	repository                                      repositoryOpts
	values                                          map[string]any
}

// repositoryOpts say where a chart that is no path comes from.
type repositoryOpts struct {
	repo, username, password, caFile, certFile, keyFile string
}

// readChartArgs reads the inputs of the Chart called name. unknowns are the inputs whose
// values are not known, in which case the arguments are not complete.
func readChartArgs(name string, inputs resource.PropertyMap) (args chartArgs, unknowns []string, err error) {
	args = chartArgs{name: name, resourcePrefix: name}
	var values resource.PropertyMap
	var files []resource.PropertyValue
	for _, key := range inputs.StableKeys() {
		v := plugin.Open(inputs)[key]
		if v.IsNull() {
			continue
		}
		if v.ContainsUnknowns() {
			unknowns = append(unknowns, string(key))
			continue
		}
		if err := args.read(string(key), v); err != nil {
			return args, nil, fmt.Errorf("%s: %w", key, err)
		}
		switch {
		case key == "values" && v.IsObject():
			values = v.ObjectValue()
		case key == "valueYamlFiles" && v.IsArray():
			files = v.ArrayValue()
		}
	}
	if len(unknowns) > 0 {
		return args, unknowns, nil
	}
	if args.chart == "" {
		return args, nil, errors.New(`chart: is required: a path, a name with repositoryOpts.repo, or an oci:// address`)
	}
	if args.values, err = mergedValues(files, values); err != nil {
		return args, nil, err
	}
	return args, nil, nil
}

// read takes one input.
func (a *chartArgs) read(key string, v resource.PropertyValue) error {
	texts := map[string]*string{"chart": &a.chart, "version": &a.version, "name": &a.name,
		"namespace": &a.namespace, "resourcePrefix": &a.resourcePrefix}
	flags := map[string]*bool{"devel": &a.devel, "dependencyUpdate": &a.dependencyUpdate,
		"skipCrds": &a.skipCRDs, "skipAwait": &a.skipAwait, "plainHttp": &a.plainHTTP}
	if to, ok := texts[key]; ok {
		if !v.IsString() {
			return fmt.Errorf("expected a text, got %s", v.TypeString())
		}
		*to = v.StringValue()
		return nil
	}
	if to, ok := flags[key]; ok {
		if !v.IsBool() {
			return fmt.Errorf("expected true or false, got %s", v.TypeString())
		}
		*to = v.BoolValue()
		return nil
	}
	switch key {
	case "repositoryOpts":
		if !v.IsObject() {
			return fmt.Errorf("expected an object, got %s", v.TypeString())
		}
		return a.repository.read(v.ObjectValue())
	case "values":
		if !v.IsObject() {
			return fmt.Errorf("expected an object, got %s", v.TypeString())
		}
	case "valueYamlFiles":
		if !v.IsArray() {
			return fmt.Errorf("expected a list of assets, got %s", v.TypeString())
		}
	case "verify":
		if v.IsBool() && !v.BoolValue() {
			return nil
		}
		return errors.New("provenance is not checked by the sandbox's provider: use the official plugin (--plugins official)")
	case "keyring", "postRenderer":
		return errors.New("is not modelled by the sandbox's provider: use the official plugin (--plugins official)")
	default:
		known := []string{"repositoryOpts", "valueYamlFiles", "values", "verify"}
		for name := range texts {
			known = append(known, name)
		}
		for name := range flags {
			known = append(known, name)
		}
		slices.Sort(known)
		return fmt.Errorf("unknown input: expected one of %s", strings.Join(known, ", "))
	}
	return nil
}

func (r *repositoryOpts) read(opts resource.PropertyMap) error {
	texts := map[resource.PropertyKey]*string{"repo": &r.repo, "username": &r.username, "password": &r.password}
	files := map[resource.PropertyKey]*string{"caFile": &r.caFile, "certFile": &r.certFile, "keyFile": &r.keyFile}
	for _, key := range opts.StableKeys() {
		v := opts[key]
		switch {
		case v.IsNull():
		case texts[key] != nil && v.IsString():
			*texts[key] = v.StringValue()
		case files[key] != nil && v.IsAsset() && v.AssetValue().IsPath():
			*files[key] = v.AssetValue().Path
		case files[key] != nil:
			return fmt.Errorf("%s: expected a file asset, got %s", key, v.TypeString())
		case texts[key] != nil:
			return fmt.Errorf("%s: expected a text, got %s", key, v.TypeString())
		default:
			return fmt.Errorf("unknown key %q: expected one of caFile, certFile, keyFile, password, repo, username", key)
		}
	}
	return nil
}

// mergedValues merges the values files in their order and then the values, as Helm does.
func mergedValues(files []resource.PropertyValue, values resource.PropertyMap) (map[string]any, error) {
	merged := map[string]any{}
	for i, file := range files {
		content, err := assetText(file)
		if err != nil {
			return nil, fmt.Errorf("valueYamlFiles[%d]: %w", i, err)
		}
		layer := map[string]any{}
		if err := yaml.Unmarshal([]byte(content), &layer); err != nil {
			return nil, fmt.Errorf("valueYamlFiles[%d]: expected a YAML object: %w", i, err)
		}
		merged = mergeMaps(merged, layer)
	}
	own := map[string]any{}
	for key, v := range values {
		value, err := helmValue(v)
		if err != nil {
			return nil, fmt.Errorf("values.%s: %w", key, err)
		}
		own[string(key)] = value
	}
	return mergeMaps(merged, own), nil
}

// helmValue makes a value for templates. A null stays one, because it takes a default of
// the chart away; an asset becomes its content.
func helmValue(v resource.PropertyValue) (any, error) {
	switch {
	case v.IsObject():
		result := make(map[string]any, len(v.ObjectValue()))
		for key, element := range v.ObjectValue() {
			value, err := helmValue(element)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			result[string(key)] = value
		}
		return result, nil
	case v.IsArray():
		result := make([]any, len(v.ArrayValue()))
		for i, element := range v.ArrayValue() {
			value, err := helmValue(element)
			if err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
			result[i] = value
		}
		return result, nil
	case v.IsAsset():
		return assetText(v)
	case v.IsNull(), v.IsBool(), v.IsNumber(), v.IsString():
		return v.V, nil
	default:
		return nil, fmt.Errorf("a %s cannot be a Helm value", v.TypeString())
	}
}

// assetText reads an asset given as text or as a path.
func assetText(v resource.PropertyValue) (string, error) {
	if !v.IsAsset() {
		return "", fmt.Errorf("expected an asset, got %s", v.TypeString())
	}
	switch asset := v.AssetValue(); {
	case asset.IsText():
		return asset.Text, nil
	case asset.IsPath():
		content, err := os.ReadFile(asset.Path)
		return string(content), err
	default:
		return "", fmt.Errorf("expected a text or a file, got the address %q", asset.URI)
	}
}

// mergeMaps returns a with b laid over it.
func mergeMaps(a, b map[string]any) map[string]any {
	result := make(map[string]any, len(a)+len(b))
	for key, v := range a {
		result[key] = v
	}
	for key, v := range b {
		over, isMap := v.(map[string]any)
		under, wasMap := result[key].(map[string]any)
		if isMap && wasMap {
			v = mergeMaps(under, over)
		}
		result[key] = v
	}
	return result
}
