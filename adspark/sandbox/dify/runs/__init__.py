"""Runs of the stand-in's workflow, and how they are shown."""
