"""Tests of publications, questions and answers."""
