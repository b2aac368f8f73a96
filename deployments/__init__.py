"""Where and when it runs: queue classes, provisioning, the local stack and the command."""
