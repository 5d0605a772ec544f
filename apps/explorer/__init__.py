"""Questions of cost built by hand: what an address asks, views kept of it, and notes on days."""
