"""Prefect's server: its pools, its health, and what we use of its private parts."""
