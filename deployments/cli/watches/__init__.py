"""`adspark watch`."""
