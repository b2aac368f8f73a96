"""Where the pages may lead: to addresses of ours, whatever is asked."""

from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.gallery.notices import lead_to, own_address

FOLDER = Path(__file__).parents[3] / "deployments" / "gallery"
OWN = "http://gallery.example"
_PARTS = st.sampled_from(
    ["/", "\\", "\t", "\n", "\r", "\0", " ", ".", "evil.example", "@", ":", "%2F"]
)


def _as_browsers_do(address: str) -> str:
    """The host that a browser goes to (WHATWG URL): blanks go away, and a backslash is a slash."""
    read = address.strip("".join(map(chr, range(33))))
    for one in "\t\r\n":
        read = read.replace(one, "")
    read = read.replace("\\", "/")
    if read.startswith("//"):
        read = "//" + read.lstrip("/")
    return urlsplit(urljoin(OWN, read)).netloc


@given(st.one_of(st.lists(_PARTS, max_size=8).map("".join), st.text(max_size=20)))
def test_no_address_leads_elsewhere(tail: str) -> None:
    for written in (tail, f"/{tail}", f"//{tail}", f"http:{tail}"):
        location = lead_to(written).headers["location"]

        assert location.startswith("/")
        assert _as_browsers_do(location) == "gallery.example"


@pytest.mark.parametrize(
    "address", ["/", "/library?q=a%20b&x=https://shop.example/", "/ads/CR1#note", "/ü"]
)
def test_an_address_of_ours_is_kept(address: str) -> None:
    assert own_address(address) == address


@pytest.mark.parametrize(
    "address", ["///evil.example/x", "//evil.example", "/\\evil.example", "/\t/evil.example", ""]
)
def test_any_other_leads_to_the_library(address: str) -> None:
    assert own_address(address) == "/library"


def test_all_that_leads_on_passes_the_same_function() -> None:
    made = [file.name for file in FOLDER.rglob("*.py") if "RedirectResponse(" in file.read_text()]
    assert made == ["notices.py"]
