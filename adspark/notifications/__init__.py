"""Messages to people: what they say, and how each service shows it."""
