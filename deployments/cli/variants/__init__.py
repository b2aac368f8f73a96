"""`adspark variant`."""
