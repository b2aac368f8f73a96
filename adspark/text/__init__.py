"""What text may hold, what of it may be shown, and secrets taken out of it."""
