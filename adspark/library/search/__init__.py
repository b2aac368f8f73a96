"""Ads found by words and filters, in an order, page by page."""
