"""One stored ad: everything about it, ads that are like it, its details looked up."""
