"""Pictures: where they are kept, and whether they are pictures."""
