"""Stored ads: fetch, ledger, details, boards."""
