"""Advertisers: their list, the profile of one, two to four compared."""
