package incident

// The names and versions of what the detector writes for incidents, beside alerts and in their order.
const (
	ActivitySchema = "noroshi.activity/1"
	ProfileSchema  = "noroshi.profile/1"
)

// What a closing event closes, besides things by their kinds.
const (
	Password  = "password"  // it was changed by an administrator or the owner
	Sessions  = "sessions"  // they were revoked
	SignIn    = "sign_in"   // it was blocked
	Unblocked = "unblocked" // the account may send again
)

// Activity is an event of an account that belongs into its story though no rule fires. Events that change a thing and closings are told
// always, others while the account is marked: for 72 hours after a rule of the class access has fired. What is about the whole tenant has
// no account. An activity whose entry has the event id, the line and the account of an earlier one takes its place: its count has grown.
type Activity struct {
	Schema  string `json:"schema"`
	Tenant  string `json:"tenant"`
	Account string `json:"account"`
	Line    string `json:"line"`  // of the library's story: what kind of event it is
	Entry   Entry  `json:"entry"` // of kind context or closing
	Closes  string `json:"closes,omitempty"`
	Thing   *Thing `json:"thing,omitempty"` // what came, or, with Gone, what went
}

// Profile is what is known of an account. It is told with each of its alerts and while it is marked, at most once a minute.
type Profile struct {
	Schema  string  `json:"schema"`
	Tenant  string  `json:"tenant"`
	Account string  `json:"account"`
	SignIns SignIns `json:"sign_ins"` // of the last 30 days
	Things  []Thing `json:"things"`
	Hybrid  bool    `json:"hybrid,omitempty"` // the account comes from an own directory by synchronisation
	Cut     int     `json:"cut,omitempty"`    // things and places that were forgotten because there were too many
}
