package bus

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
)

// bearer is OAUTHBEARER, which says what the broker has against a token.
// Source: RFC 7628, 3.2.2, server response to a failed authentication.
type bearer struct {
	sasl.Mechanism
}

func newBearer(token func(ctx context.Context) (string, error)) sasl.Mechanism {
	return bearer{oauth.Oauth(func(ctx context.Context) (oauth.Auth, error) {
		t, err := token(ctx)
		return oauth.Auth{Token: t}, err
	})}
}

func (b bearer) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	s, first, err := b.Mechanism.Authenticate(ctx, host)
	return bearing{s}, first, err
}

type bearing struct{ sasl.Session }

func (s bearing) Challenge(answer []byte) (done bool, next []byte, err error) {
	if len(answer) > 0 {
		return false, nil, &Denied{fmt.Errorf("the broker refuses the token of OAUTHBEARER: %.200s", answer)}
	}
	return s.Session.Challenge(answer)
}
