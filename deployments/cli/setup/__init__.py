"""`adspark init`: from nothing to the first watch and its pictures."""
