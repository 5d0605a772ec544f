"""What a change really saved: what would have been spent without it, less what was, with an honest interval."""
