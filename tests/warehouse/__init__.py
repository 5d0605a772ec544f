"""Tests of the lake and its engine."""
