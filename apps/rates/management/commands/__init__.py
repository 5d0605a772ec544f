"""Commands about exchange rates."""
