"""The floors of CostOps; see docs/adr and pyproject.toml for who may import whom."""
