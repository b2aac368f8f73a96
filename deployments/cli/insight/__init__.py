"""`adspark insight`."""
