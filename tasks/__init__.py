"""Units of work with retries: get a client from a block, call adspark, log a line."""
