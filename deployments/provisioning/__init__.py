"""Make a Prefect server match the project."""
