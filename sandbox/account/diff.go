package account

import (
	"encoding/json"
	"reflect"
	"slices"
	"sort"
	"strings"
)

// Diff is how new inputs differ from those of the existing resource.
type Diff struct {
	// Changed are the top-level properties that differ.
	Changed []string
	// Replaces are those among them that need a replacement. Empty means that
	// the resource can be updated in place.
	Replaces []string
	// DeleteBeforeReplace says that the old resource must go before the new
	// one can be made: its name is fixed, or AWS takes only one of its kind.
	DeleteBeforeReplace bool
}

// Diff compares checked inputs. A value that is not known yet counts as
// changed.
func (t *Type) Diff(oldInputs, oldOutputs, newInputs map[string]any) Diff {
	var d Diff
	for _, key := range unionKeys(oldInputs, newInputs) {
		before, after := oldInputs[key], newInputs[key]
		paths := t.compare(key, before, after)
		if len(paths) == 0 {
			continue
		}
		d.Changed = append(d.Changed, key)
		if slices.ContainsFunc(paths, t.forcesNew) {
			d.Replaces = append(d.Replaces, key)
		}
	}
	if t.replaces != nil && len(d.Changed) > 0 {
		for _, key := range t.replaces(oldInputs, newInputs) {
			if !slices.Contains(d.Replaces, key) {
				d.Replaces = append(d.Replaces, key)
			}
		}
		sort.Strings(d.Replaces)
	}
	d.DeleteBeforeReplace = len(d.Replaces) > 0 && (t.deleteBeforeReplace || t.keepsFixedName(newInputs, d))
	return d
}

// keepsFixedName is the rule of the Terraform bridge: where the program names
// the resource itself and does not change that name, the new one cannot be
// made while the old one has it.
func (t *Type) keepsFixedName(newInputs map[string]any, d Diff) bool {
	if t.name == nil || newInputs[t.name.property] == nil || isChosen(newInputs, t.name.property) {
		return false
	}
	return !slices.Contains(d.Changed, t.name.property)
}

func (t *Type) forcesNew(path string) bool {
	for _, fixed := range t.forceNew {
		if path == fixed || strings.HasPrefix(path, fixed+".") || strings.HasPrefix(fixed, path+".") {
			return true
		}
	}
	return false
}

// compare returns the paths at which two values differ.
func (t *Type) compare(path string, before, after any) []string {
	if after == nil && slices.Contains(t.computed, path) {
		return nil
	}
	if hasUnknownAt(after) {
		return []string{path}
	}
	if isEmpty(before) && isEmpty(after) {
		return nil
	}
	if t.isDocument(path) && sameDocument(before, after) {
		return nil
	}
	// An object that is added or removed differs in each of its properties:
	// that tells whether one of them needs a replacement.
	beforeMap, ok1 := before.(map[string]any)
	afterMap, ok2 := after.(map[string]any)
	if (ok1 || before == nil) && (ok2 || after == nil) {
		var paths []string
		for _, key := range unionKeys(beforeMap, afterMap) {
			paths = append(paths, t.compare(path+"."+key, beforeMap[key], afterMap[key])...)
		}
		return paths
	}
	beforeList, ok1 := before.([]any)
	afterList, ok2 := after.([]any)
	if ok1 && ok2 {
		if t.isSet(path) {
			beforeList, afterList = inOrder(beforeList), inOrder(afterList)
		}
		if len(beforeList) != len(afterList) {
			return []string{path}
		}
		var paths []string
		for i := range beforeList {
			paths = append(paths, t.compare(path, beforeList[i], afterList[i])...)
		}
		return paths
	}
	if reflect.DeepEqual(before, after) {
		return nil
	}
	return []string{path}
}

func hasUnknownAt(v any) bool {
	_, unknown := v.(Unknown)
	return unknown
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func sameDocument(a, b any) bool {
	textA, ok1 := a.(string)
	textB, ok2 := b.(string)
	if !ok1 || !ok2 {
		return false
	}
	var docA, docB any
	if json.Unmarshal([]byte(textA), &docA) != nil || json.Unmarshal([]byte(textB), &docB) != nil {
		return false
	}
	return reflect.DeepEqual(canonicalPolicy(docA), canonicalPolicy(docB))
}

// inOrder sorts a list whose order means nothing by its JSON text. Unknown
// values have the text "{}", which is good enough: a list with one is changed
// anyway.
func inOrder(items []any) []any {
	type keyed struct {
		key  string
		item any
	}
	all := make([]keyed, len(items))
	for i, item := range items {
		text, err := json.Marshal(item)
		if err != nil {
			text = nil
		}
		all[i] = keyed{string(text), item}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].key < all[j].key })
	out := make([]any, len(all))
	for i := range all {
		out[i] = all[i].item
	}
	return out
}

// unionKeys returns the keys of both maps, sorted, without the engine's own.
func unionKeys(a, b map[string]any) []string {
	all := map[string]bool{}
	for _, m := range []map[string]any{a, b} {
		for k := range m {
			if !strings.HasPrefix(k, "__") {
				all[k] = true
			}
		}
	}
	return sorted(all)
}
