"""What asks for attention now, told once."""
