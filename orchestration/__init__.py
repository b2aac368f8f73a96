"""Prefect runs seen from inside and outside: limits, retries, states, requeue."""
