"""What of the server for assistants needs nothing else."""
