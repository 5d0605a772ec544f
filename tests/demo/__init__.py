"""Tests of the simulated company."""
