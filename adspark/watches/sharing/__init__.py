"""How users share the searches of sweeps: each by weight, and what each has used."""
