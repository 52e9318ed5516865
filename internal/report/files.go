package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"noroshi/internal/alert"
)

// File is one of the files of a report.
type File struct {
	Name   string
	Begins string // how one that was written earlier begins
	write  func(*Report, io.Writer) error
}

// Files are the files of a report.
var Files = []File{
	{"report.html", pageHead, (*Report).HTML},
	{"report.json", "{\n  \"schema\": \"noroshi.report/", (*Report).JSON},
	{"report.txt", TextHead, (*Report).Text},
}

// JSON writes the report as one object. Characters that nobody sees are escaped.
func (r *Report) JSON(w io.Writer) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("make JSON: %w", err)
	}
	for line := range bytes.Lines(b.Bytes()) {
		if _, err := w.Write(append(alert.AppendEscaped(nil, bytes.TrimSuffix(line, []byte("\n"))), '\n')); err != nil {
			return err
		}
	}
	return nil
}

// Write writes the files of the report into a folder that exists. Each is whole, or is as it was before.
func (r *Report) Write(dir string) error {
	for _, f := range Files {
		if err := f.writeTo(dir, r); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	return nil
}

func (f *File) writeTo(dir string, r *Report) error {
	part, err := os.CreateTemp(dir, f.Name+".part-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(part.Name()) }() // nothing is there where all went well
	if err := f.write(r, part); err != nil {
		_ = part.Close()
		return err
	}
	if err := part.Chmod(0o644); err != nil {
		_ = part.Close()
		return err
	}
	if err := part.Close(); err != nil {
		return err
	}
	return os.Rename(part.Name(), filepath.Join(dir, f.Name))
}
