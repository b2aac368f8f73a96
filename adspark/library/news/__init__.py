"""What watches noticed between two times, and how completely they looked."""
