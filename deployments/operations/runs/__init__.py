"""Runs in an operator's hands: find, report, cancel, retry, purge."""
