package eventhub

import "github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

// Through lets an identity ask by another way than the network.
func (i Identity) Through(t policy.Transporter) Identity {
	i.transport = t
	return i
}
