"""What generates variants: the interface, chat endpoints, and reading models' answers."""
