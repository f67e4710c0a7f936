package pipeline

// NewTiers connects a pipeline that only moves what waits in the tiers.
func NewTiers(o Options) (*Pipeline, error) { return newPipeline(o, (*Pipeline).routeTiers) }
