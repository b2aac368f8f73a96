"""A local stand-in of SerpApi's Google Ads Transparency Center engine, for demo and tests."""
