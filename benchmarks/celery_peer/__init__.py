"""A sweep as Celery's best users would write it, for the same tables; `sweep --peer` runs it."""
