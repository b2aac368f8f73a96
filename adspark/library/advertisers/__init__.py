"""Stored advertisers: listed, found, shown, and which one a person means."""
