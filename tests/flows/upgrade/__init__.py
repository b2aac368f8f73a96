"""What an installation of the last version left behind, upgraded."""
