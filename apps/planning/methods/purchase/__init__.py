"""Purchase mix: what to commit to month by month, what to leave to spot, serverless or on demand, where memory lies."""
