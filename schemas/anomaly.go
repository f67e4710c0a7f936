package schemas

// Anomaly marks something odd about an answer or a change that people may want to look at. An event with anomalies is
// still true.
type Anomaly string

// The anomalies. AllAnomalies lists them with their meaning.
const (
	UnmappedStatus        Anomaly = "unmapped_status"
	ContradictoryApproval Anomaly = "contradictory_approval"
	ContradictoryAnswer   Anomaly = "contradictory_answer"
	AmbiguousReference    Anomaly = "ambiguous_reference"
	AmountDiffers         Anomaly = "amount_differs"
	UnreadableAmount      Anomaly = "unreadable_amount"
	RepairedJSON          Anomaly = "repaired_json"
	MaskedCardNumber      Anomaly = "masked_card_number"
	PartialCancellation   Anomaly = "partial_cancellation"
	UnexpectedTransition  Anomaly = "unexpected_transition"
	StaleRead             Anomaly = "stale_read"
	IncompleteList        Anomaly = "incomplete_list"
)

// AnomalyInfo is one row of the anomaly list.
type AnomalyInfo struct {
	Anomaly Anomaly
	Meaning string
}

// AllAnomalies is the one list of anomalies; schema and documentation derive from it.
var AllAnomalies = []AnomalyInfo{
	{UnmappedStatus, "the provider used a status word that has no row in the mapping"},
	{ContradictoryApproval, "Checkout.com's approved flag contradicts its status"},
	{ContradictoryAnswer, "parts of the answer contradict each other"},
	{AmbiguousReference, "several payments carry this reference and more than one succeeded"},
	{AmountDiffers, "the payment was made for another amount than the initiated event names, and the configuration accepts that"},
	{UnreadableAmount, "a sum other than the payment's own could not be read and is left out"},
	{RepairedJSON, "the answer was not strictly JSON and was read after a repair; raw holds the original"},
	{MaskedCardNumber, "the raw answer held a full card number, which is masked"},
	{PartialCancellation, "a part of the authorisation was cancelled"},
	{UnexpectedTransition, "the step from the previous status is not in the transition table"},
	{StaleRead, "the answer is older than what was last reported"},
	{IncompleteList, "a list of payments could not be read to its end"},
}
