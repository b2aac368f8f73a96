"""Dify's workflow API."""
