"""UUIDs as they are typed."""

from uuid import UUID


def parse_uuid(written: str) -> UUID | None:
    """The UUID; None where it is none."""
    try:
        return UUID(written)
    except ValueError:
        return None
