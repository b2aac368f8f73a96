"""Questions and orders to a running system: pools, runs, failures, metrics."""
