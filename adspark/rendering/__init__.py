"""A creative or a page to a PNG in Chromium."""
