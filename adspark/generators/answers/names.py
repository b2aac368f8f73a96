"""What a value is by its name: an ad's copy, one part of it, a picture, or neither."""

import re

from pydantic import JsonValue

EXTENSIONS = (".png", ".jpg", ".jpeg", ".jpe", ".webp", ".gif", ".avif", ".jfif")

_LONGEST = 200  # characters of a name that are looked at
_WORD = re.compile(r"[a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Words of the names of copy.
_FIRST = {"headline", "title", "heading", "header", "hook"}
_LAST = {"cta", "call", "button", "action"}
_PARTS = _FIRST | _LAST | {
    "copy", "text", "body", "description", "caption", "slogan", "tagline", "subtitle",
    "subheadline", "primary",
}  # fmt: skip
_COPY = _PARTS | {
    "content", "answer", "output", "message", "ad", "variant", "result", "response",
}  # fmt: skip
_NO_COPY = {
    "reasoning", "thinking", "thought", "thoughts", "analysis", "rationale", "explanation", "notes",
    "note", "id", "type", "url", "uri", "link", "image", "picture", "prompt", "model", "language",
    "lang", "format", "role", "finish", "reason", "status", "usage", "error", "filename", "mime",
    "extension", "identity", "method", "b64", "base64",
}  # fmt: skip
# Names under which a picture stands, in order of likelihood.
_PICTURE_NAMES = (
    "result", "b64_json", "image_base64", "base64", "b64", "image_url", "image", "picture", "img",
    "inline_data", "inlinedata", "url", "remote_url", "data", "source", "src", "uri",
)  # fmt: skip
_SURE_NAMES = ("result", "image_url", "image", "picture", "img", "remote_url")
# Words of other names under which a picture stands, and those that say it is something else.
_PICTURE_WORDS = {"image", "picture", "img", "photo"}
_SMALL_WORDS = {"thumbnail", "thumb", "preview"}
_NO_PICTURE_WORDS = {
    "prompt", "alt", "input", "original", "source", "reference", "description", "caption", "width",
    "height", "size", "style", "type", "format", "model", "id", "text", "title", "page", "count",
}  # fmt: skip
# Types of objects that hold no picture, whatever address is in them.
_OTHER_TYPES = (
    "document", "audio", "video", "text", "file", "link", "page", "thinking", "reasoning",
)  # fmt: skip


def may_be_copy(name: str) -> bool:
    """Whether a value of this name may hold copy; thoughts and addresses have other names."""
    return not _words_of(name) & _NO_COPY


def is_copy(name: str) -> bool:
    """Whether a value of this name should hold copy, or a part of it."""
    return bool(_words_of(name) & _COPY)


def is_part(name: str) -> bool:
    """Whether a value of this name holds one part of an ad, as its headline."""
    return may_be_copy(name) and bool(_words_of(name) & _PARTS)


def place_of(name: str) -> int:
    """Where in an ad a part of this name stands: -1 first, 0 in the middle, 1 last."""
    words = _words_of(name)
    return bool(words & _LAST) - bool(words & _FIRST)


def is_picture_name(name: str) -> bool:
    """Whether a value of this name should hold a picture."""
    words = _words_of(name) & (_PICTURE_WORDS | _SMALL_WORDS)
    return rank_of_picture(name) is not None and bool(words)


def is_sure_picture_name(name: str) -> bool:
    """Whether a value of this name is a picture rather than a page."""
    return name.lower() in _SURE_NAMES or is_picture_name(name)


def rank_of_picture(name: str) -> int | None:
    """How likely a value of this name is a picture, 0 the likeliest; None where it is none."""
    if (lowered := name.lower()) in _PICTURE_NAMES:
        return _PICTURE_NAMES.index(lowered)
    words = _words_of(name)
    if words & _NO_PICTURE_WORDS:
        return None
    if words & _PICTURE_WORDS:
        return _PICTURE_NAMES.index("image_url")
    return _PICTURE_NAMES.index("img") if words & _SMALL_WORDS else None


def is_other_type(given: dict[str, JsonValue]) -> bool:
    """Whether an object says that it is something else than a picture."""
    kind = given.get("type")
    if not isinstance(kind, str) or kind.lower() not in _OTHER_TYPES:
        return False
    return kind.lower() != "file" or not is_picture_file(given)


def is_picture_file(given: dict[str, JsonValue]) -> bool:
    """Whether an object is a file that says it is a picture, whatever its type is called."""
    media_type = given.get("mime_type")
    name = given.get("extension") or given.get("filename")
    return (isinstance(media_type, str) and media_type.lower().startswith("image/")) or (
        isinstance(name, str) and name.lower().endswith(EXTENSIONS)
    )


def _words_of(name: str) -> set[str]:
    """The words of a name in small letters, each also without the s of a plural."""
    found = _WORD.findall(_CAMEL.sub(" ", name[:_LONGEST]).lower().replace("_", " "))
    return {*found, *(word.removesuffix("s") for word in found)}
