"""One run in a process of its own: start, bounds, output, endings."""
