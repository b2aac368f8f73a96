"""The archive: every version of a creative's picture, downloaded or rendered once, and kept."""
