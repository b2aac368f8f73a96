"""Commands that start, follow and clear runs."""
