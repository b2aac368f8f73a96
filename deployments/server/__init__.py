"""Prefect's server behind our guards."""
