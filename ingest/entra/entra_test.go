package entra

import (
	"context"
	"errors"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"noroshi/ingest/feed"
)

// failing is a credential that gives no token.
type failing struct{ error }

func (f failing) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, f.error
}

// absent is an error as azidentity gives it where there is no identity.
type absent struct{ error }

func (absent) NonRetriable() {}

// Why there is no token is told in one line, whatever the libraries say, and what cannot be helped by trying again is known as such.
func TestWhyThereIsNoTokenIsOneLine(t *testing.T) {
	said := errors.New("unable to resolve an endpoint:\n Get \"https://login.example.com\":\tdial tcp")
	for want, err := range map[string]error{
		`get a token for manage.office.com: unable to resolve an endpoint: Get "https://login.example.com": dial tcp`:                                                            said,
		`get a token for manage.office.com: ` + feed.ErrDenied.Error() + `: there is no identity here: unable to resolve an endpoint: Get "https://login.example.com": dial tcp`: absent{said},
	} {
		_, got := Tokens(failing{err}, "manage.office.com")(t.Context())
		if got == nil || got.Error() != want || !errors.Is(err, said) && !errors.Is(got, feed.ErrDenied) {
			t.Errorf("it says %v, expected %s", got, want)
		}
	}
}
