"""What users and data say, read and checked once, at the edge."""
