"""What the gallery starts and follows."""
