"""The pages of the gallery, a module for each part of it."""
