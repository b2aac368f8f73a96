"""What writes rows into a file: a module for each format."""
