"""`adspark budget`: what searching costs, and what a month of sweeps would."""
