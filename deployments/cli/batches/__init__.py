"""`adspark batch`."""
