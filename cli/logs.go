package cli

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"noroshi/internal/config"
)

// logFlags are the flags that say how the log is written.
func logFlags(c *cobra.Command, to *config.Logs) {
	c.Flags().StringVar(&to.Format, "log-format", "", "`format` of the log, "+strings.Join(config.LogFormats, " or ")+"; telemetry.logs.format by default, or text")
	c.Flags().StringVar(&to.Level, "log-level", "", "`level` from which on something is logged, "+strings.Join(config.LogLevels, ", ")+"; telemetry.logs.level by default, or info")
	for name, all := range map[string][]string{"log-format": config.LogFormats, "log-level": config.LogLevels} {
		_ = c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp)) // it fails where the flag is unknown
	}
}

func checkLogFlags(l config.Logs) error {
	switch {
	case l.Format != "" && !slices.Contains(config.LogFormats, l.Format):
		return fmt.Errorf("--log-format: no format %q; expected %s", l.Format, strings.Join(config.LogFormats, " or "))
	case l.Level != "" && !slices.Contains(config.LogLevels, l.Level):
		return fmt.Errorf("--log-level: no level %q; expected one of %s", l.Level, strings.Join(config.LogLevels, ", "))
	}
	return nil
}

// newLog makes the log: as the flags say, else as the configuration does. It shows no secret.
func newLog(s Streams, flags, configured config.Logs) *slog.Logger {
	format, level := flags.Format, slog.LevelInfo
	if format == "" {
		format = configured.Format
	}
	text := flags.Level
	if text == "" {
		text = configured.Level
	}
	_ = level.UnmarshalText([]byte(text)) // what is no level has been told, and info stays
	to, options := s.Secrets.Writer(s.Err), &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}
