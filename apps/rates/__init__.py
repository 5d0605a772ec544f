"""Exchange rates: by the day, versioned, locked with the month they were reported in."""
