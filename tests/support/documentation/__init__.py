"""The README and the pages of `docs/`, as their tests read and run them."""
