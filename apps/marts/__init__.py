"""The few tables that questions read, and the one way to ask."""
