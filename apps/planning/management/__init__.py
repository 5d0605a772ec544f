"""Commands about teams."""
