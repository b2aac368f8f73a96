"""Insight: what the stored ads of an advertiser tell, read from views with a contract."""
