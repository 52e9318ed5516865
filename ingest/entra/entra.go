// Package entra gets tokens of Microsoft Entra ID for those who read.
package entra

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"noroshi/ingest/feed"
	"noroshi/internal/regular"
)

// Identity says who reads, where there is no connection string.
type Identity struct {
	// Kind is default, workload_identity, managed_identity, client_secret or certificate.
	Kind string
	// Cloud is public, government or china; that of AZURE_AUTHORITY_HOST where empty, else the public one.
	Cloud string
	// Tenant and Client are ids in Entra ID; Client alone for a managed identity that a user has made.
	Tenant, Client string
	Secret         string
	// Certificate is a PEM or PKCS#12 file with its key; Password opens it.
	Certificate, Password string
	// TokenFile is that of a workload identity, the environment's where empty.
	TokenFile string

	transport Transport
}

// Through is the identity, which asks by another way than the network's.
func (i Identity) Through(t Transport) Identity {
	i.transport = t
	return i
}

// Transport sends requests, as an http.Client does.
type Transport = policy.Transporter

var clouds = map[string]cloud.Configuration{"": {}, "public": cloud.AzurePublic, "government": cloud.AzureGovernment, "china": cloud.AzureChina}

// maxCertificate is far above a certificate with its key and those above it.
const maxCertificate = 1 << 20

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
		data, err := regular.Read(i.Certificate, maxCertificate)
		if err != nil {
			var at *fs.PathError
			if errors.As(err, &at) { // what a configuration says is not shown
				err = at.Err
			}
			return nil, fmt.Errorf("read certificate: %w", err)
		}
		certs, key, err := azidentity.ParseCertificates(data, []byte(i.Password))
		if err != nil {
			return nil, fmt.Errorf("read certificate: %w", err)
		}
		return azidentity.NewClientCertificateCredential(i.Tenant, i.Client, certs, key, &azidentity.ClientCertificateCredentialOptions{ClientOptions: o})
	}
	return nil, fmt.Errorf("no credential %q", i.Kind)
}

// Tokens gives tokens for a host, such as the Kafka endpoint of a namespace (azure-docs, azure-event-hubs-apache-kafka-overview).
func Tokens(c azcore.TokenCredential, host string) func(ctx context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		t, err := c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://" + host + "/.default"}})
		if err != nil {
			return "", fmt.Errorf("get a token for %s: %w", host, oneLine{Unidentified(err)})
		}
		return t.Token, nil
	}
}

// oneLine is an error whose text is one line: the libraries' have several.
type oneLine struct{ error }

func (e oneLine) Error() string { return strings.Join(strings.Fields(e.error.Error()), " ") }

func (e oneLine) Unwrap() error { return e.error }

// Unidentified makes an ErrDenied of an error that says that there is no identity, or that Microsoft Entra ID refuses it. Others
// pass: nobody answered, or one who has trouble of its own.
func Unidentified(err error) error {
	var failed *azidentity.AuthenticationFailedError
	var absent interface{ NonRetriable() } // what azidentity has for it is not exported
	switch {
	case errors.As(err, &failed):
		if r := failed.RawResponse; r != nil && r.StatusCode < http.StatusInternalServerError && r.StatusCode != http.StatusTooManyRequests {
			return fmt.Errorf("%w: Microsoft Entra ID refuses the identity: %s", feed.ErrDenied, said(r))
		}
	case errors.As(err, &absent):
		return fmt.Errorf("%w: there is no identity here: %s", feed.ErrDenied, oneLine{err}.Error())
	}
	return err
}

// maxSaid is how many characters of an answer are told.
const maxSaid = 300

// said is the reason that an answer gives. App Service calls it message, all others as OAuth does.
func said(r *http.Response) string {
	var reason struct {
		Description string `json:"error_description"`
		Message     string `json:"message"`
	}
	if body, err := runtime.Payload(r); err == nil && json.Unmarshal(body, &reason) == nil {
		line, _, _ := strings.Cut(cmp.Or(reason.Description, reason.Message), "\n") // below it stand ids for Microsoft's support
		if line = strings.TrimSpace(line); line != "" {
			return fmt.Sprintf("%.*s", maxSaid, line)
		}
	}
	return r.Status
}
