"""Findings that no other app tells as such: cost without an owner, months that land high, what is idle."""
