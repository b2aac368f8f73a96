"""Files of this machine: .env, private folders, the state of the running stack."""
