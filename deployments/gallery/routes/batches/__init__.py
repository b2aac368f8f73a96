"""The pages of batches: their list, and one with its progress, its variants and its buttons."""
