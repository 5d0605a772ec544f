"""Bills and usage, from their sources into the lake."""
