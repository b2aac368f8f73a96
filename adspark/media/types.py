"""What kind of picture some bytes begin like; nothing is decoded."""

_MARKS = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
)
_AVIF_BRANDS = (b"avif", b"avis", b"mif1")


def picture_type(beginning: bytes) -> str | None:
    """As `png`, by the first bytes of a picture; None where they are of nothing known."""
    for mark, kind in _MARKS:
        if beginning.startswith(mark):
            return kind
    if beginning.startswith(b"RIFF") and beginning[8:12] == b"WEBP":
        return "webp"
    is_avif = beginning[4:8] == b"ftyp" and beginning[8:12] in _AVIF_BRANDS
    return "avif" if is_avif else None
