"""Names that the shell completes: of flows, pools, watches, users, without importing commands."""
