"""What a model or workflow answered, read as an ad's copy (`ad_copy`) and pictures (`pictures`)."""
