"""The stand-in of SerpApi's engines: searches, accounts and their faults."""
