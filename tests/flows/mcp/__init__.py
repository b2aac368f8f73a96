"""What assistants start, once they have confirmed its price."""
