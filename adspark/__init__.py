"""AdSpark: what the product knows about competitors' ads, in plain Python without Prefect."""
