"""The gallery: the web pages on which people look at ads, collect them and judge variants."""
