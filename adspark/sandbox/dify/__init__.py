"""A local stand-in of Dify's API of workflow apps, whose variants are made by plain rules."""
