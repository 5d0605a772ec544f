"""Findings that no other app tells: cost without an owner, months that land high, commitments nobody uses."""
