"""What to do about what was found: recommendations with owners, from found to done."""
