package bus

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// certificate makes one for 127.0.0.1 and writes it to a file.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, path
}

// What Event Hubs' Kafka endpoint asks for: TLS, SASL PLAIN with the connection string, old Metadata, no transactions.
func TestAsEventHubsKafkaEndpointWantsIt(t *testing.T) {
	const connection = "Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k"
	cert, ca := certificate(t)
	versions := kversion.Stable()
	versions.SetMaxKeyVersion(int16(kmsg.Metadata), 9)
	versions.SetMaxKeyVersion(int16(kmsg.EndTxn), -1)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(&tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}), kfake.EnableSASL(), kfake.Superuser("PLAIN", "$ConnectionString", connection),
		kfake.SeedTopics(1, "audit", "checkpoints.audit"), kfake.MaxVersions(versions))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	b, err := Connect(Config{Brokers: cluster.ListenAddrs(), TLS: true, CAFile: ca, Mechanism: "plain", User: "$ConnectionString", Password: connection, EventHubs: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if ok, err := b.Transactional(t.Context(), "ingest"); ok || err != nil {
		t.Errorf("it has transactions: %v, %v", ok, err)
	}
	// At least once: records, then the position, seen at once.
	tx, err := b.Transactor(t.Context(), CheckpointsOf("audit"), 0, true)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close(t.Context())
	for i := range 3 {
		if err := tx.Stage(t.Context(), []Record{{Topic: "audit", Key: []byte("k"), Value: fmt.Append(nil, i)}}, Record{Key: []byte("position"), Value: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if v, err := tx.Checkpoint(t.Context()); string(v) != "2" || err != nil {
		t.Errorf("the position is %q, %v", v, err)
	}
	c, err := b.Cursor("audit", 0, Place{At: true, Offset: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got, err := c.Poll(t.Context(), 10)
	if err != nil || len(got) == 0 || string(got[0].Value) != "1" {
		t.Errorf("read are %v, %v", got, err)
	}
	wrong, err := Connect(Config{Brokers: cluster.ListenAddrs(), TLS: true, CAFile: ca, Mechanism: "plain", User: "$ConnectionString", Password: "guess", EventHubs: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer wrong.Close()
	if _, err := wrong.Partitions(t.Context(), "audit"); err == nil {
		t.Error("a wrong connection string is let in")
	}
}
