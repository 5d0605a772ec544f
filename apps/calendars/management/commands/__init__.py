"""Commands about the business calendar."""
