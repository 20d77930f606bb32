package pulumitest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Fits holds the inputs of a resource that is registered without its SDK against the
// SDK's arguments, such as corev1.PersistentVolumeArgs{}: every name must be one of
// theirs, at every depth, and every value of its kind.
func (r *Resource) Fits(args pulumi.Input) error {
	if err := fits(resource.NewProperty(r.Inputs), args.ElementType(), ""); err != nil {
		return fmt.Errorf("%s does not fit %T: %w", r, args, err)
	}
	return nil
}

func fits(value resource.PropertyValue, want reflect.Type, path string) error {
	for want.Kind() == reflect.Pointer {
		want = want.Elem()
	}
	kinds := map[reflect.Kind]bool{reflect.Interface: true}
	var errs []error
	switch {
	case value.IsSecret():
		return fits(value.SecretValue().Element, want, path)
	case value.IsComputed() || value.IsOutput():
		return nil
	case value.IsResourceReference():
		if !reflect.PointerTo(want).Implements(reflect.TypeFor[pulumi.Resource]()) {
			return fmt.Errorf("%s: a resource where %s is expected", path, want)
		}
		return nil
	case value.IsString():
		kinds[reflect.String] = true
	case value.IsBool():
		kinds[reflect.Bool] = true
	case value.IsNumber():
		kinds[reflect.Int], kinds[reflect.Float64] = true, true
	case value.IsArray():
		kinds[reflect.Slice] = true
		for i, element := range value.ArrayValue() {
			if want.Kind() == reflect.Slice {
				errs = append(errs, fits(element, want.Elem(), fmt.Sprintf("%s.%d", path, i)))
			}
		}
	case value.IsObject():
		kinds[reflect.Map], kinds[reflect.Struct] = true, true
		for _, key := range value.ObjectValue().StableKeys() {
			at := strings.TrimPrefix(path+"."+string(key), ".")
			inner := value.ObjectValue()[key]
			switch want.Kind() {
			case reflect.Map:
				errs = append(errs, fits(inner, want.Elem(), at))
			case reflect.Struct:
				field, known := tagged(want, string(key))
				if !known {
					errs = append(errs, fmt.Errorf("%s: there is none of that name", at))
					continue
				}
				errs = append(errs, fits(inner, field.Type, at))
			}
		}
	}
	if !kinds[want.Kind()] {
		errs = append(errs, fmt.Errorf("%s: %s where %s is expected", path, value.TypeString(), want))
	}
	return errors.Join(errs...)
}

func tagged(of reflect.Type, name string) (reflect.StructField, bool) {
	fields := reflect.VisibleFields(of)
	i := slices.IndexFunc(fields, func(f reflect.StructField) bool { return f.Tag.Get("pulumi") == name })
	if i < 0 {
		return reflect.StructField{}, false
	}
	return fields[i], true
}
