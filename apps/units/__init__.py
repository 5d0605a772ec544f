"""Unit economics: drivers by the day, cost per unit, and why it changed."""
