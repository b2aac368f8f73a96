"""One answer of SerpApi: checked for errors and garbage, dated, and parsed as a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from pydantic import SecretStr

from adspark.errors import (
    InvalidCredentialsError,
    InvalidRequestError,
    ServiceDownError,
    ServiceRefusedError,
    ServiceUnavailableError,
)
from adspark.net.json_responses import parse_object
from adspark.serpapi.payloads import Search, SearchPage, parse_rows, shown_of
from adspark.text.redaction import quote as quote_words

NO_RESULTS = "hasn't returned any results"
"""SerpApi's words for a search that finds nothing."""

_TEMPORARY = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY)
_LONGEST_KIND = 100  # characters of a content type in a message
_MOST_ROWS = 1000  # that are read of a page, of which at most 100 are ever requested
_LONGEST_ID = 200  # characters; SerpApi's have 24
_LONGEST_TOKEN = 4000  # characters; it travels in an address, and recorded ones have 52
_MOST_RESULTS = 2**31 - 1


@dataclass(frozen=True)
class Answer:
    """What came over the wire, and the key of the request, which may be echoed."""

    status: int
    headers: httpx.Headers
    content: bytes
    key: SecretStr

    def checked_body(self) -> dict[str, Any]:
        """The JSON object of an answer that is neither an error nor garbled.

        Raises:
            InvalidCredentialsError, ServiceRefusedError: the status says so.
            InvalidRequestError: SerpApi says what is wrong with the request, as with its token.
            ServiceUnavailableError: a failure, a redirect, or not the JSON that it should be.
        """
        if self.status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise ServiceDownError(f"SerpApi failed on its side (HTTP {self.status}).")
        if self.status == httpx.codes.UNAUTHORIZED:
            raise InvalidCredentialsError(
                "SerpApi does not accept the key (401). Put a valid one in ADSPARK_SERPAPI_KEY or "
                "the block serpapi-credentials/adspark; keys: https://serpapi.com/manage-api-key."
            )
        body = parse_object(self.content, secret=self.key)
        if self.status != httpx.codes.OK:
            words = quote(body or {})
            said = f": {words}" if words else ", without saying why."
            if self.status < httpx.codes.BAD_REQUEST or self.status in _TEMPORARY:
                raise ServiceUnavailableError(
                    f"SerpApi answered with HTTP {self.status} instead of a result{said}"
                )
            is_invalid = self.status == httpx.codes.BAD_REQUEST and words
            refused = InvalidRequestError if is_invalid else ServiceRefusedError
            raise refused(f"SerpApi refused the request (HTTP {self.status}){said}")
        if body is None:
            kind = quote_words(
                self.headers.get("content-type", "no content type"), most=_LONGEST_KIND
            )
            raise ServiceUnavailableError(
                f"SerpApi's answer is not the JSON it should be ({kind}, "
                f"{len(self.content)} bytes)."
            )
        return body

    def made_by(self, metadata: Mapping[str, Any]) -> Search:
        """The search, and how many seconds ago it was made, both by SerpApi's own clock."""
        return Search(id=metadata["id"][:_LONGEST_ID], age=self._age(metadata.get("created_at")))

    def billed_search(self, body: Mapping[str, Any]) -> Search | None:
        """The search behind an answer, whatever that holds; None where it failed, which is free."""
        metadata = body.get("search_metadata")
        if not isinstance(metadata, dict) or not _is_id(metadata.get("id")):
            return None
        return self.made_by(metadata) if metadata.get("status") == "Success" else None

    def _age(self, created_at: object) -> float:
        """0 where it is not known: then it counts as made for us."""
        try:
            created = datetime.strptime(str(created_at), "%Y-%m-%d %H:%M:%S %Z")
            # A proxy may add a second Date; the first is the nearest.
            answered = parsedate_to_datetime(self.headers.get_list("date")[0])
            if answered.tzinfo is None:
                answered = answered.replace(tzinfo=UTC)
            seconds = (answered - created.replace(tzinfo=UTC)).total_seconds()
        except (IndexError, TypeError, ValueError, OverflowError):
            return 0.0
        return max(0.0, seconds)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def quote(body: Mapping[str, Any]) -> str:
    """SerpApi's own words on an error."""
    return quote_words(str(body.get("error") or ""))


def checked_metadata(body: Mapping[str, Any]) -> dict[str, Any]:
    """The search_metadata of a search that succeeded, if only in finding nothing; else raises
    ServiceUnavailableError."""
    metadata = body.get("search_metadata")
    error = body.get("error")
    if not isinstance(metadata, dict) or not _is_id(metadata.get("id")):
        said = f": {quote(body)}" if quote(body) else "."
        raise ServiceUnavailableError(f"SerpApi's answer lacks its search_metadata{said}")
    if error and NO_RESULTS not in str(error):
        raise ServiceUnavailableError(f"SerpApi: {quote(body)}")
    if metadata.get("status") != "Success":
        status = quote_words(str(metadata.get("status")), most=_LONGEST_ID)
        raise ServiceUnavailableError(f"SerpApi: search ended as {status!r}.")
    return metadata


def parse_page(answer: Answer, answered: list[Search]) -> SearchPage:
    """The page in an answer to a search of the list engine, whose body and metadata are checked.

    `answered` gets the search, which was paid also where the rest of its answer is no page.
    """
    body = answer.checked_body()
    metadata = checked_metadata(body)
    search = answer.made_by(metadata)
    answered.append(search)
    information = body.get("search_information")
    rows = body.get("ad_creatives")
    if not isinstance(rows, list) and (rows is not None or not body.get("error")):
        raise ServiceUnavailableError("SerpApi's answer has neither creatives nor an error.")
    sent = rows or []
    listed = sent[:_MOST_ROWS]
    good, rejected = parse_rows(listed)
    token, is_lost = _token(body.get("serpapi_pagination"))
    if len(sent) > len(listed):  # whatever it is, it is no page, nor is what it leads to
        token, is_lost = None, True
    return SearchPage(
        searches=[search],
        rows=good,
        rejected=rejected,
        shown=shown_of(listed),
        next_page_token=token,
        total_results=_total(information) if isinstance(information, dict) else None,
        broke_off=is_lost,
        sandbox=metadata.get("sandbox") is True,
    )


def _token(pagination: object) -> tuple[str | None, bool]:
    """The token of the next page, and whether there is a next page that cannot be fetched."""
    if not isinstance(pagination, dict):
        return None, False
    token = pagination.get("next_page_token")
    if not token:
        return None, bool(pagination.get("next"))
    is_usable = isinstance(token, str) and len(token) <= _LONGEST_TOKEN and "\ufffd" not in token
    return (token, False) if is_usable else (None, True)


def _total(information: Mapping[str, Any]) -> int | None:
    total = information.get("total_results")
    if isinstance(total, bool) or not isinstance(total, int):
        return None
    return total if 0 <= total <= _MOST_RESULTS else None
