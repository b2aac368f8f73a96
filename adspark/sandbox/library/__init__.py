"""The ads that the sandbox serves: recorded, generated and changed."""
