"""What days cost whose bill has not come, from the last known unit prices, and how good that was afterwards."""
