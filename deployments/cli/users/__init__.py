"""`adspark users`, and the option that names a user."""
