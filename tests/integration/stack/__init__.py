"""Prefect's server as it is started here."""
