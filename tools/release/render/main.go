// Render reads compose files as docker compose does, and prints the services that they start.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, err := cli.NewProjectOptions(os.Args[1:], cli.WithResolvedPaths(true))
	if err == nil {
		var services []string
		services, err = read(options)
		for _, s := range services {
			fmt.Println(s)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "render:", err)
		os.Exit(1)
	}
}

// read loads a project, and sees that each file that is mounted is there.
func read(options *cli.ProjectOptions) (services []string, err error) {
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return nil, err
	}
	for name, s := range project.Services {
		services = append(services, name)
		for _, v := range s.Volumes {
			if v.Type != "bind" {
				continue
			}
			if _, err := os.Stat(v.Source); err != nil {
				return nil, fmt.Errorf("service %s: %w", name, err)
			}
		}
	}
	slices.Sort(services)
	return services, nil
}
