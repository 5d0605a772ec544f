"""Who does nothing and will go on doing nothing: evidence, a probability learned from the fleet's own past, off-hours."""
