"""The ledger: what initiatives promised, and what was verified."""
