"""Boards: their pages, links and files."""
