"""SerpApi's Google Ads Transparency Center engine: client, queries, payloads."""
