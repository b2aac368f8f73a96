"""The server for AI assistants, over a real database and both of its ways."""
