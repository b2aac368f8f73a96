"""Tests that need the whole stack and a browser."""
