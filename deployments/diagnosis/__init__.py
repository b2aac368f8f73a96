"""What is wrong on this machine, and the report of it that can be passed on."""
