package tls

// text, number, flag and texts read an input that Check has validated; a missing one is
// the zero value.
func text(inputs map[string]any, name string) string {
	s, _ := inputs[name].(string)
	return s
}

func number(inputs map[string]any, name string) int {
	n, _ := inputs[name].(float64)
	return int(n)
}

func flag(inputs map[string]any, name string) bool {
	b, _ := inputs[name].(bool)
	return b
}

func texts(inputs map[string]any, name string) []string {
	list, _ := inputs[name].([]any)
	var result []string
	for _, element := range list {
		if s, ok := element.(string); ok {
			result = append(result, s)
		}
	}
	return result
}
