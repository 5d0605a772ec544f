"""The price table of what can be bought: sample values of ours, and the rows people add."""
