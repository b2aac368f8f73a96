"""A month of sweeps on paper: what it spends, how late watches are checked, and which starve."""
