"""Reading a FOCUS bill: header, amounts, instants, problems with their line, and an independent tally."""
