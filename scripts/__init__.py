"""Programs for developers of AdSpark."""
