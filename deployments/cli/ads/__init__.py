"""`adspark ads` and `adspark advertisers`."""
