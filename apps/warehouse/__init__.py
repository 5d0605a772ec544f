"""The lake and its engine."""
