"""The page of an ad: what is stored about it, what visitors write on it, details on demand."""
