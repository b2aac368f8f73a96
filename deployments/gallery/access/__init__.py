"""Who may see the pages and what a request may send and load."""
