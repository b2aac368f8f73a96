"""Workers: which runs they take, drain and adopt."""
