"""Which values of an object hold a picture, by their names and by what the object says it is."""

from pydantic import JsonValue

from adspark.generators.name_words import words_of

EXTENSIONS = (".png", ".jpg", ".jpeg", ".jpe", ".webp", ".gif", ".avif", ".jfif")
# Under which a picture stands, in order of likelihood.
_PICTURE_KEYS = (
    "result", "b64_json", "image_base64", "base64", "b64", "image_url", "image", "picture", "img",
    "inline_data", "inlinedata", "url", "remote_url", "data", "source", "src", "uri",
)  # fmt: skip
_SURE_KEYS = ("result", "image_url", "image", "picture", "img", "remote_url")
# Words of other names under which a picture stands, and those that say it is something else.
_PICTURE_WORDS = {"image", "picture", "img", "photo"}
_SMALL_WORDS = {"thumbnail", "thumb", "preview"}
_NO_PICTURE_WORDS = {
    "prompt", "alt", "input", "original", "source", "reference", "description", "caption", "width",
    "height", "size", "style", "type", "format", "model", "id", "text", "title", "page", "count",
}  # fmt: skip
# Kinds of objects that hold no picture, whatever address is in them.
_OTHER_KINDS = (
    "document",
    "audio",
    "video",
    "text",
    "file",
    "link",
    "page",
    "thinking",
    "reasoning",
)


def is_picture_name(name: str) -> bool:
    """Whether a value of this name should hold a picture."""
    return rank_name(name) is not None and bool(words_of(name) & (_PICTURE_WORDS | _SMALL_WORDS))


def is_sure_name(name: str) -> bool:
    """Whether a value of this name is a picture rather than a page."""
    return name.lower() in _SURE_KEYS or is_picture_name(name)


def rank_name(name: str) -> int | None:
    """How likely a value of this name is a picture, the likeliest first; None where it is none."""
    if (lowered := name.lower()) in _PICTURE_KEYS:
        return _PICTURE_KEYS.index(lowered)
    words = words_of(name)
    if words & _NO_PICTURE_WORDS:
        return None
    if words & _PICTURE_WORDS:
        return _PICTURE_KEYS.index("image_url")
    return _PICTURE_KEYS.index("img") if words & _SMALL_WORDS else None


def is_other(given: dict[str, JsonValue]) -> bool:
    """Whether an object says that it is something else than a picture."""
    kind = given.get("type")
    if not isinstance(kind, str) or kind.lower() not in _OTHER_KINDS:
        return False
    return kind.lower() != "file" or not is_picture_file(given)


def is_picture_file(given: dict[str, JsonValue]) -> bool:
    """Whether an object is a file that says it is a picture, whatever its type is called."""
    media_type = given.get("mime_type")
    name = given.get("extension") or given.get("filename")
    return (isinstance(media_type, str) and media_type.lower().startswith("image/")) or (
        isinstance(name, str) and name.lower().endswith(EXTENSIONS)
    )
