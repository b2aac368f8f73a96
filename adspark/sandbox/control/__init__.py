"""What belongs to no service: pages, pictures, previews, faults, changes, counters."""
