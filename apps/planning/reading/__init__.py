"""What planners read of the lake, packed for their plans."""
