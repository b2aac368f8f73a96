"""What people read of watches: what is new in them, how complete the looks were, what they cost."""
