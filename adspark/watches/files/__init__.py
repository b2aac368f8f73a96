"""Watches as files that people edit: YAML with a list, or CSV as spreadsheets save it."""
