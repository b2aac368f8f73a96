"""Automations of Prefect's server: its alerts, and what it does about dead runs."""
