package cli

import (
	"strings"
	"unicode/utf8"
)

// columns lines up the cells of rows. Cells of digits alone are aligned to the
// right. A row may be shorter than others; the last cell of a row may be long.
func columns(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if i < len(row)-1 || number(cell) {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	// The head of a column of numbers counts, although it is the last cell.
	if len(rows) > 0 {
		for i, cell := range rows[0] {
			if numeric(rows[1:], i) {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	var b strings.Builder
	for r, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			pad := strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell)))
			if number(cell) || r == 0 && numeric(rows[1:], i) {
				line.WriteString(pad + cell)
			} else {
				line.WriteString(cell + pad)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// numeric reports whether a column holds numbers and nothing else.
func numeric(rows [][]string, column int) bool {
	found := false
	for _, row := range rows {
		if column >= len(row) {
			continue
		}
		if !number(row[column]) {
			return false
		}
		found = true
	}
	return found
}

func number(cell string) bool {
	return cell != "" && strings.Trim(cell, "0123456789") == ""
}
