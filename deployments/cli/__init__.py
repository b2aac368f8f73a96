"""The command `adspark`."""
