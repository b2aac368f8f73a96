"""What the runs of a pool are, and what they may choose of their surroundings."""
