"""The command `adspark rules`."""
