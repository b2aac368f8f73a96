"""Reads a `multipart/form-data` body with nothing but the standard library."""

from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import HeaderParser

_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Part:
    """One field of a form; a file has a filename."""

    name: str
    filename: str | None
    media_type: str | None
    content: bytes


def parse_multipart(content_type: str, body: bytes) -> list[Part]:
    """The fields in order; nothing where the body is not of that type."""
    kind = _parse_head(f"Content-Type: {content_type}")
    boundary = kind.get_boundary()
    if kind.get_content_type() != "multipart/form-data" or not boundary:
        return []
    return list(_split(body, boundary.encode()))


def _split(body: bytes, boundary: bytes) -> Iterator[Part]:
    """The email package's own splitting goes line by line, which takes seconds for 10 MB."""
    for section in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        if section.startswith(b"--"):
            return
        head, found, content = section.partition(_HEAD_END)
        if not found:
            continue
        fields = _parse_head(head.strip().decode(errors="replace"))
        disposition = fields["Content-Disposition"]
        if disposition is not None and (name := disposition.params.get("name")):
            given = fields["Content-Type"]
            media_type = given.content_type if given is not None else None
            yield Part(name, disposition.params.get("filename"), media_type, content)


def _parse_head(text: str) -> EmailMessage:
    message = HeaderParser(policy=policy.HTTP).parsestr(text)
    if not isinstance(message, EmailMessage):
        raise TypeError("the policy HTTP makes EmailMessages")
    return message
