"""The life of a variant, and its reviews."""
