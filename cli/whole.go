package cli

import (
	"errors"
	"fmt"
	"strconv"
)

// whole is a flag that takes a whole number within bounds.
type whole struct {
	to          *int
	least, most int
}

// String implements pflag.Value.
func (w *whole) String() string {
	if w.to == nil {
		return ""
	}
	return strconv.Itoa(*w.to)
}

// Set implements pflag.Value.
func (w *whole) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("expected a whole number from %d to %d", w.least, w.most)
	}
	if err != nil || n < w.least || n > w.most {
		return fmt.Errorf("it lies outside %d to %d", w.least, w.most)
	}
	*w.to = n
	return nil
}

// Type implements pflag.Value.
func (w *whole) Type() string { return "number" }
