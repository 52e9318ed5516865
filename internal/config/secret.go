package config

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/regular"
	"noroshi/internal/strictyaml"
)

var secretPattern = regexp.MustCompile(`^\$\{(file|env):([^}]+)\}$`)

// maxSecret bounds a secret's file, in bytes.
const maxSecret = 64 << 10

// Secret reads a reference to a secret, ${file:path} or ${env:NAME}, and gives what it refers to. A value in its place is an
// error: configurations end in repositories.
func Secret(d *strictyaml.Doc, n *yaml.Node, folder string) string {
	value, _ := Reference(d, n, folder)() // what is wrong with it has been told with its place
	return value
}

// Reference is Secret for one that may change while it is used: what it gives reads the file again. Where that fails, it gives the
// secret of before and says why. It is called from one goroutine.
func Reference(d *strictyaml.Doc, n *yaml.Node, folder string) func() (string, error) {
	return reference(d, n, folder, 0)
}

// reference is Reference for a secret that messages hide from a length on: a shorter one is refused, and each gap would tell it. What is
// read later is hidden in any case, since it is used.
func reference(d *strictyaml.Doc, n *yaml.Node, folder string, hidden int) func() (string, error) {
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeSecret})
	m := secretPattern.FindStringSubmatch(n.Value)
	if n.Kind != yaml.ScalarNode || m == nil {
		d.At(n, "secret", "a secret is a reference, ${file:path} or ${env:NAME}, never a value")
		return func() (string, error) { return "", errors.New("it is no reference") }
	}
	if m[1] == "file" {
		d.Reads = append(d.Reads, under(folder, m[2]))
	}
	last, problem := secret(m[1], m[2], folder)
	if problem != "" {
		d.At(n, "secret", problem)
	}
	if len(last) >= hidden {
		d.Secrets.Add(last)
	}
	return func() (string, error) {
		value, problem := secret(m[1], m[2], folder)
		if problem != "" {
			return last, errors.New(problem)
		}
		if value != last {
			last = value
			d.Secrets.Add(value)
		}
		return last, nil
	}
}

// secret reads what a reference leads to. Neither what it says nor where it leads is told: it may be the secret itself.
func secret(kind, where, folder string) (value, problem string) {
	if kind == "env" {
		if value = os.Getenv(where); value == "" {
			return "", "the environment has no such variable, or an empty one"
		}
		return value, ""
	}
	data, err := small(under(folder, where), maxSecret)
	if err != nil {
		return "", "the secret cannot be read: " + err.Error() + "; relative paths start at the folder of the configuration"
	}
	if value = strings.TrimRight(string(data), "\r\n"); value == "" {
		return "", "the secret's file is empty"
	}
	return value, ""
}

// small reads a file that is plain and not too long. Its errors do not name it.
func small(path string, most int) ([]byte, error) {
	data, err := regular.Read(path, most)
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return data, err
}
