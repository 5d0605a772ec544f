"""Tests of the order, windows and retries of a fill."""
