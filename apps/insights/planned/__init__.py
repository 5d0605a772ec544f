"""What is known of cost ahead: changes people plan, and commitments that end."""
