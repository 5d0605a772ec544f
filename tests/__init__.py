"""Tests: sentences about promises, on real servers."""
