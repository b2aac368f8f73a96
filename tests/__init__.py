"""Tests; the folder says what a test needs: nothing, a database, Prefect, or the whole stack."""
