"""The words of ads: bought with their details, or read from their archived pictures, offline."""
