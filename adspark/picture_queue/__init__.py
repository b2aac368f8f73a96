"""Work on pictures that wait in a table: claimed, done and noted, one run at a time."""
