"""Tests of words and arithmetic."""
