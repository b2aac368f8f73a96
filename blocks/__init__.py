"""Prefect blocks: configured connections that operators edit in the UI."""
