"""Order, windows, retries: the only clock."""
