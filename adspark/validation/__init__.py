"""Bounds and names of input, and the messages that say what is wrong with it."""
