package cli

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// TestDoctorTriesToListen: an address that another process has, and one of another machine, end run.
func TestDoctorTriesToListen(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	const brokers = "kafka: {brokers: [\"127.0.0.1:9\"]}\n"
	for name, c := range map[string]struct{ text, want, do string }{
		"any port":               {`admin: {listen: "127.0.0.1:0"}`, "[]", ""},
		"taken":                  {fmt.Sprintf("admin: {listen: %q}", taken), "[error admin listen]", "give admin.listen another port"},
		"probes taken":           {fmt.Sprintf(`admin: {listen: "127.0.0.1:0", probes: %q}`, taken), "[error admin listen]", "give admin.probes another port"},
		"of another machine":     {`admin: {probes: "192.0.2.1:19500"}`, "[error admin listen]", "this machine does not have the address"},
		"perhaps of an instance": {brokers + fmt.Sprintf("admin: {listen: %q}", taken), "[warning admin listen-taken error kafka kafka-unreachable]", "all is well"},
	} {
		t.Run(name, func(t *testing.T) {
			got, all := doctoring(t, doctorsDay, doctored(t, c.text+"\n"))
			if fmt.Sprint(got) != c.want || !strings.Contains(all, c.do) {
				t.Errorf("got %v, want %s with %q\n%s", got, c.want, c.do, all)
			}
		})
	}
}
