"""Words and phrases found in a text, however they are written there."""
