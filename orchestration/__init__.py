"""What tasks and deployments need of Prefect: runs, limits, and its server."""
