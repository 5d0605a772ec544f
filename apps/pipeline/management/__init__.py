"""Commands about filling."""
