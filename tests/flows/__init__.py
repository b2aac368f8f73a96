"""Tests that need Prefect."""
