"""HTTP: which addresses may be requested, bounded responses, and guards of our servers."""
