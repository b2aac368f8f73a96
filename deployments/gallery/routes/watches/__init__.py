"""What is new, and the pages of watches."""
