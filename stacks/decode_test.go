package stacks

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
)

func reflectConfig() reflect.Value { return reflect.ValueOf(&Config{}).Elem() }

// Every field of the configuration has a key of a type that the decoder knows: one
// without would be ignored in silence.
func TestEveryFieldHasAKey(t *testing.T) {
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Struct:
			for i := range typ.NumField() {
				field := typ.Field(i)
				key := field.Tag.Get("config")
				assert.NotEmpty(t, key, "%s.%s", path, field.Name)
				if key != "-" {
					walk(path+"."+field.Name, field.Type)
				}
			}
		case reflect.Slice:
			walk(path+"[]", typ.Elem())
		case reflect.Map:
			assert.Equal(t, reflect.String, typ.Key().Kind(), path)
			walk(path+"{}", typ.Elem())
		case reflect.String, reflect.Bool, reflect.Int:
		default:
			t.Errorf("%s has type %s, which the decoder does not know", path, typ)
		}
	}
	walk("Config", reflect.TypeFor[Config]())
}

func TestFailedCoversAncestorsAndDescendants(t *testing.T) {
	d := &decoder{}
	d.problem("network.zones[1]", "x")
	for path, want := range map[string]bool{
		"network.zones[1]": true, "network.zones": true, "network": true, "network.zones[1].x": true,
		"network.zones[10]": false, "network.zone": false, "network.cidr": false, "net": false,
	} {
		assert.Equal(t, want, d.failed(path), path)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"cidr", "zones", "privatePrefix", "publicPrefix", "nat"}
	for word, want := range map[string]string{
		"cdir": "cidr", "CIDR": "cidr", "zone": "zones", "privatPrefix": "privatePrefix", "public": "", "zzz": "",
		"publicprefix": "publicPrefix", "": "",
	} {
		assert.Equal(t, want, nearest(word, known), word)
	}
}
