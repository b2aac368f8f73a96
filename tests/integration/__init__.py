"""Tests that need a database or the sandbox."""
