"""Flow runs as the server has them: read, change, requeue, start."""
