package schemas

// The reason codes of payment.status_unresolved. UnresolvedReasons lists them with their meaning.
const (
	UnresolvedDeadline         = "deadline"
	UnresolvedNotFound         = "not_found"
	UnresolvedReferenceExpired = "reference_expired"
	UnresolvedMismatch         = "mismatch"
	UnresolvedInternalError    = "internal_error"
	UnresolvedRefused          = "refused"
	UnresolvedUnavailable      = "unavailable"
	UnresolvedUnreadable       = "unreadable"
)

// UnresolvedInfo is one row of the list of unresolved ends.
type UnresolvedInfo struct {
	Code    string
	Final   bool // the watch has ended; otherwise it is parked and goes on when an answer comes
	Meaning string
}

// UnresolvedReasons is the one list of why a payment can be left without a final status.
var UnresolvedReasons = []UnresolvedInfo{
	{UnresolvedDeadline, true, "the deadline passed and the provider still had not decided"},
	{UnresolvedNotFound, true, "the provider did not know the payment when the grace was over"},
	{UnresolvedReferenceExpired, true, "the session could no longer be asked by, and nothing else names the payment"},
	{UnresolvedMismatch, true, "the answers name another payment, account, currency or amount"},
	{UnresolvedInternalError, true, "this program failed on the payment again and again"},
	{UnresolvedRefused, false, "the deadline passed while the provider refused our requests"},
	{UnresolvedUnavailable, false, "the deadline passed while the provider could not be reached"},
	{UnresolvedUnreadable, false, "the deadline passed while the provider's answers could not be read"},
}
