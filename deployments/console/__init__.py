"""`adspark top`."""
