"""Saved searches: definition, check, events, sweep, budgets."""
