"""Benchmarks: each a ratio to a named floor measured in the same run; JSON under `var/bench/`."""
