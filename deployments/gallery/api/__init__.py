"""The JSON interface of the gallery: the queries of its pages for programs, read only."""
