"""Exports, without a database."""
