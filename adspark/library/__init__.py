"""The library: stored ads searched, shown and annotated; advertisers found and compared."""
