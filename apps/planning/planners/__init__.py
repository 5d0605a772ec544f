"""The planners: each reads what it needs of the lake, asks its method, and writes the plan down."""
