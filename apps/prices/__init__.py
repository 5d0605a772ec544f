"""What a unit of something costs: price lists, prices learned from bills, and commitments."""
