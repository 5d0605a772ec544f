"""Commands about drivers and cost per unit."""
