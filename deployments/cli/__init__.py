"""The command `adspark`. Prefect is imported inside the commands: it takes a second."""
