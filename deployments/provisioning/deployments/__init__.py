"""Deployments: made, kept as people changed them, and moved from their former names."""
