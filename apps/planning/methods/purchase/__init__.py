"""Purchase mix: what to commit to month by month, what to leave to spot, serverless or on-demand, which tier holds memory."""
