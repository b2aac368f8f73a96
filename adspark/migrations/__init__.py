"""Alembic migrations of AdSpark's database."""
