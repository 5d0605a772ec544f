"""Online/offline co-location: batch work where online services leave room, at a stated risk, out of the evening."""
