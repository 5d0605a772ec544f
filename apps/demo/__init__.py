"""The simulated company."""
