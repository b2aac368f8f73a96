"""What only the images and compose files start."""
