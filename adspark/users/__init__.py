"""Users: the names beside the numbers that all data bears."""
