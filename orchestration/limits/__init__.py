"""What bounds a task or a run: rates, time, retries, and searches that are spent."""
