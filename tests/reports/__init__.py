"""Tests of the weekly e-mail."""
