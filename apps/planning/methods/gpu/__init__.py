"""GPU sharing: which workloads share a card, and what cards and nodes that gives back."""
