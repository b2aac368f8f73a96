"""The local stack, as far as no process of it is needed."""
