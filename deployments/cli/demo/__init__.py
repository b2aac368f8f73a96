"""`adspark demo`: the main job on recorded ads, through the real parts, in one command."""
