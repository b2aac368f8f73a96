"""Hand approved variants over to Google Ads: as CSV, or as a ZIP file with pictures."""
