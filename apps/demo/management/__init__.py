"""Commands of the simulated company."""
