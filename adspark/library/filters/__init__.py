"""What ads have to be beside having the words, and how people write it."""
