"""Tests of teams and ownership rules."""
