"""Who does nothing and will go on so: evidence, a probability learned from the fleet's own past, off-hours."""
