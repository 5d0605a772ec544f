"""Tests of channels: the outbox, its delivery, the ways out."""
