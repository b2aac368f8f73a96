"""The variables with which the stack's processes start."""
