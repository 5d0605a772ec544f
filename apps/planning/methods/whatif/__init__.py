"""What-if calculators: what another stack would need, before anybody builds it."""
