"""Why: from any number back to the bill rows it was made of."""
