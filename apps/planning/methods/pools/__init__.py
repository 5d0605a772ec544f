"""Elastic pools: how much of the online demand to stand ready for, and where the rest is cheapest, hour by hour."""
