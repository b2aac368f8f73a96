"""What people think of variants: reviews, decisions, and what waits for one; what works by them."""
