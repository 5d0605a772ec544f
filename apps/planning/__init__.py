"""Plans: what to change so that the same work costs less, at what risk, replayed on the weeks that passed."""
