"""`adspark board`."""
