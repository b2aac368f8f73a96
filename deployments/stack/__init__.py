"""The local stack: what its processes are."""
