"""The pages of variants: their list, one of them, its review, and requests for more."""
