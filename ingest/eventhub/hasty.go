package eventhub

import (
	"context"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// hasty is a credential that is not waited for longer than for other answers: the client asks it without an end.
type hasty struct {
	azcore.TokenCredential
	patience time.Duration
}

// GetToken implements azcore.TokenCredential.
func (h hasty) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	ctx, cancel := context.WithTimeout(ctx, h.patience)
	defer cancel()
	return h.TokenCredential.GetToken(ctx, o)
}
