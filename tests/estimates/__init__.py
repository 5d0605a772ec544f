"""Tests of `apps/estimates`."""
