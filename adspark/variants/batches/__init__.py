"""Batches: variants that are requested, followed, paused and compared together."""
