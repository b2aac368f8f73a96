"""Stored ads taken out: as CSV, JSON lines, Parquet or XLSX, with their pictures if wanted."""
