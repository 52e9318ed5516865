package config

import (
	"strings"
	"testing"
)

// TestWhatFailsLaterIsRefusedNow: addresses, headers and connection strings that a run could not use are mistakes with a place.
func TestWhatFailsLaterIsRefusedNow(t *testing.T) {
	t.Setenv("NOROSHI_TEST_NAMESPACE", "Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=a2V5")
	t.Setenv("NOROSHI_TEST_HUB", "Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=a2V5;EntityPath=audit")
	t.Setenv("NOROSHI_TEST_MANGLED", "Endpoint=sb://contoso.servicebus.windows.net/ SharedAccessKey=a2V5")
	for source, want := range map[string]string{
		`eventhub: {connection_string: "${env:NOROSHI_TEST_NAMESPACE}"}`:       "noroshi.yaml:2:15: sources[0].eventhub: the event hub has no name",
		`eventhub: {connection_string: "${env:NOROSHI_TEST_HUB}"}`:             "",
		`eventhub: {connection_string: "${env:NOROSHI_TEST_HUB}", hub: AUDIT}`: "",
		`eventhub: {connection_string: "${env:NOROSHI_TEST_HUB}", hub: other}`: "for another event hub",
		`eventhub: {connection_string: "${env:NOROSHI_TEST_MANGLED}", hub: h}`: "noroshi.yaml:2:35: sources[0].eventhub.connection_string: the secret is no connection string",
		`kafka: {topic: t, connection_string: "${file:key}"}`:                  "sources[0].kafka.connection_string: the secret is no connection string",
		`eventhub: {hub: h}`: "needs the key connection_string",
		`eventhub: {namespace: "https://contoso.example", hub: h, credential: {kind: default}}`:                            "noroshi.yaml:2:27: sources[0].eventhub.namespace: expected a host name",
		`eventhub: {connection_string: "${env:NOROSHI_TEST_HUB}", proxy: "http://bob:pw@proxy.example.com:1x"}`:            "noroshi.yaml:2:69: sources[0].eventhub.proxy: expected an address",
		`eventhub: {connection_string: "${env:NOROSHI_TEST_HUB}", proxy: "http://proxy.example.com:70000"}`:                "proxy: expected an address",
		`eventhub: {connection_string: "${env:NOROSHI_TEST_HUB}", proxy: "proxy.example.com:3128"}`:                        "proxy: expected an address",
		`eventhub: {connection_string: "${env:NOROSHI_TEST_HUB}", proxy: "http://bob:pw@proxy.example.com:3128"}`:          "",
		`eventhub: {connection_string: "${env:NOROSHI_TEST_HUB}", proxy: "ftp://proxy.example.com"}`:                       "proxy: a proxy's address begins with http://",
		`eventhub: {connection_string: "${env:NOROSHI_TEST_HUB}", proxy: "socks5://[2001:db8::1]:1080"}`:                   "",
		`eventhub: {connection_string: "${env:NOROSHI_TEST_HUB}", endpoint: "sb://bob:pw@contoso.example"}`:                "endpoint: expected a host and port",
		`kafka: {topic: t, brokers: ["k1:9092", "k2.example.com", "192.0.2.1:9092", "[2001:db8::1]:9092", "2001:db8::1"]}`: "",
		`kafka: {topic: t, brokers: ["127.0.0.1:9:9"]}`:                                                                    "noroshi.yaml:2:33: sources[0].kafka.brokers[0]: expected a host and port",
		`kafka: {topic: t, brokers: ["k1:70000"]}`:                                                                         "brokers[0]: expected a host and port",
		`kafka: {topic: t, brokers: ["[2001:db8]:9092"]}`:                                                                  "brokers[0]: expected a host and port",
		`kafka: {topic: t, brokers: ["bob:pw@k1:9092"]}`:                                                                   "noroshi.yaml:2:33: sources[0].kafka.brokers[0]: expected a host and port",
	} {
		_, problems := read(t, "sources:\n  - "+source+"\n")
		if want == "" && problems != "" || !strings.Contains(problems, want) || strings.Contains(problems, "pw") || strings.Contains(problems, "a2V5") {
			t.Errorf("%s: got %q, want %q", source, problems, want)
		}
	}
}
