"""Usage as other tools write it, made rows of our usage tables."""
