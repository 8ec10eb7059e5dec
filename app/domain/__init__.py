"""Floor 1: the laboratory's own words and judgements, pure: no input, no output, no clock."""
