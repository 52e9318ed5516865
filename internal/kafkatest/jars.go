package kafkatest

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

//go:embed apache/pom.xml
var pom []byte

//go:embed apache/log4j2.properties
var log4j2 []byte

// missing is a program that is not on the machine.
type missing string

func (m missing) Error() string { return string(m) }

var (
	kafkaVersion = regexp.MustCompile(`<kafka\.version>(.+)</kafka\.version>`)
	javaVersion  = regexp.MustCompile(`version "(\d+)`)
)

// oldestJava is the oldest Java that Kafka 4 runs on.
const oldestJava = 17

// java finds the Java to run Kafka with.
func java() (string, error) {
	path := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		path = filepath.Join(home, "bin", "java")
	}
	path, err := exec.LookPath(path)
	if err != nil {
		return "", missing("there is no java on this machine")
	}
	out, err := exec.CommandContext(context.Background(), path, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", path, err)
	}
	m := javaVersion.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("%s tells no version: %s", path, out)
	}
	if major, _ := strconv.Atoi(string(m[1])); major < oldestJava {
		return "", missing(fmt.Sprintf("%s is Java %d; Kafka 4 needs %d", path, major, oldestJava))
	}
	return path, nil
}

// resolve gives the folder with Kafka's jars. It appears whole or not at all, whoever makes it.
func resolve() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	jars := filepath.Join(cache, "noroshi-kafka", string(kafkaVersion.FindSubmatch(pom)[1]))
	if _, err := os.Stat(jars); err == nil {
		return jars, nil
	}
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return "", missing("there is no mvn on this machine to fetch Kafka with")
	}
	if err := os.MkdirAll(filepath.Dir(jars), 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(filepath.Dir(jars), ".resolve-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	file := filepath.Join(work, "pom.xml")
	if err := os.WriteFile(file, pom, 0o600); err != nil {
		return "", err
	}
	into := filepath.Join(work, "jars")
	if out, err := exec.CommandContext(context.Background(), mvn, "-B", "-q", "-f", file, "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+into).CombinedOutput(); err != nil {
		return "", fmt.Errorf("fetch Kafka by Maven: %w\n%s", err, tail(out))
	}
	if found, _ := filepath.Glob(filepath.Join(into, "kafka_2.13-*.jar")); len(found) == 0 {
		return "", fmt.Errorf("fetch Kafka by Maven: there is no kafka_2.13 jar in %s", into)
	}
	if err := os.Rename(into, jars); err != nil {
		if _, there := os.Stat(jars); there != nil { // else another test was first
			return "", err
		}
	}
	return jars, nil
}
