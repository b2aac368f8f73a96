"""Clean-up and health checks."""
