"""Local stand-ins of SerpApi's Google Ads Transparency Center engine and of Dify's workflows."""
