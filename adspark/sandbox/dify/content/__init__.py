"""Copy and pictures of the stand-in's variants."""
