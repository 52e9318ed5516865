package eventhub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"noroshi/ingest/feed"
)

// Identity says who reads, where there is no connection string.
type Identity struct {
	// Kind is one of Kinds.
	Kind string
	// Cloud is one of Clouds; that of AZURE_AUTHORITY_HOST where empty, else the public one.
	Cloud string
	// Tenant and Client are ids in Entra ID; Client alone for a managed identity that a user has made.
	Tenant, Client string
	Secret         string
	// Certificate is a PEM or PKCS#12 file with its key; Password opens it.
	Certificate, Password string
	// TokenFile is that of a workload identity, the environment's where empty.
	TokenFile string

	transport policy.Transporter // for tests that stand in for Microsoft
}

// Kinds are the kinds of identities.
var Kinds = []string{"default", "workload_identity", "managed_identity", "client_secret", "certificate"}

var clouds = map[string]cloud.Configuration{"": {}, "public": cloud.AzurePublic, "government": cloud.AzureGovernment, "china": cloud.AzureChina}

// Clouds are the clouds of Azure.
var Clouds = []string{"public", "government", "china"}

// Credential makes the identity's credential. It asks nobody before it is used.
func (i Identity) Credential() (azcore.TokenCredential, error) {
	where, ok := clouds[i.Cloud]
	if !ok {
		return nil, fmt.Errorf("no cloud %q", i.Cloud)
	}
	o := azcore.ClientOptions{Cloud: where, Transport: i.transport}
	switch i.Kind {
	case "default":
		return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: o, TenantID: i.Tenant})
	case "workload_identity":
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: o, TenantID: i.Tenant, ClientID: i.Client, TokenFilePath: i.TokenFile})
	case "managed_identity":
		m := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: o}
		if i.Client != "" {
			m.ID = azidentity.ClientID(i.Client)
		}
		return azidentity.NewManagedIdentityCredential(m)
	case "client_secret":
		return azidentity.NewClientSecretCredential(i.Tenant, i.Client, i.Secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: o})
	case "certificate":
		data, err := os.ReadFile(i.Certificate)
		if err != nil {
			return nil, fmt.Errorf("read certificate: %w", err)
		}
		certs, key, err := azidentity.ParseCertificates(data, []byte(i.Password))
		if err != nil {
			return nil, fmt.Errorf("read certificate %s: %w", i.Certificate, err)
		}
		return azidentity.NewClientCertificateCredential(i.Tenant, i.Client, certs, key, &azidentity.ClientCertificateCredentialOptions{ClientOptions: o})
	}
	return nil, fmt.Errorf("no credential %q", i.Kind)
}

// Tokens gives tokens for the Kafka endpoint of a namespace (azure-docs, azure-event-hubs-apache-kafka-overview).
func Tokens(c azcore.TokenCredential, namespace string) func(ctx context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		t, err := c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://" + namespace + "/.default"}})
		if said := refusal(err); said != "" {
			return "", fmt.Errorf("%w: get a token for %s: Microsoft Entra ID refuses the identity: %s", feed.ErrDenied, namespace, said)
		}
		if err != nil {
			return "", fmt.Errorf("get a token for %s: %w", namespace, err)
		}
		return t.Token, nil
	}
}

// refusal is what Microsoft Entra ID says of an identity that it refuses, "" where it did not answer or has trouble of its own.
func refusal(err error) string {
	var failed *azidentity.AuthenticationFailedError
	if !errors.As(err, &failed) || failed.RawResponse == nil || failed.RawResponse.StatusCode >= http.StatusInternalServerError || failed.RawResponse.StatusCode == http.StatusTooManyRequests {
		return ""
	}
	var said struct {
		Description string `json:"error_description"`
	}
	if body, err := runtime.Payload(failed.RawResponse); err == nil && json.Unmarshal(body, &said) == nil && said.Description != "" {
		line, _, _ := strings.Cut(said.Description, "\n") // below it stand ids for Microsoft's support
		return strings.TrimSpace(line)
	}
	return failed.RawResponse.Status
}

// Namespace is the namespace that a connection string names, "" where it names none.
func Namespace(connectionString string) string {
	if m := endpoint.FindStringSubmatch(connectionString); m != nil {
		return m[1]
	}
	return ""
}
