"""Brand rules of variants: read from a file, kept in versions, checked on copy and picture."""
