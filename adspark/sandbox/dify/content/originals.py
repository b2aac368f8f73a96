"""Which ad a run is about, from its inputs, and what the sandbox knows of that ad."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from adspark.sandbox.control.pictures import DEFAULT_SIZE, LARGEST
from adspark.sandbox.dify.files import FileBox, Size, Upload
from adspark.sandbox.dify.workflow import ORIGINAL
from adspark.sandbox.library.catalogue import Row
from adspark.sandbox.serpapi.details import find_variations
from adspark.sandbox.serpapi.engine import SearchEngine
from adspark.sandbox.settings import SandboxSettings

_CREATIVE_ID = re.compile(r"CR\d{20}")
_UPLOAD_PATH = re.compile(r"/files/([0-9a-f-]{36})/file-preview")
_PICTURE_PATH = re.compile(r"/archive/simgad/(\d+)")
_NOBODY = "your brand"
_SMALLEST = 16  # pixels of a side


@dataclass(frozen=True)
class Original:
    """What is known of an ad; nothing is an empty text."""

    brand: str
    snippet: str = ""
    creative_id: str = ""
    size: Size = DEFAULT_SIZE


class OriginalFinder:
    """Looks up the ad that a run's inputs mean."""

    def __init__(self, settings: SandboxSettings, engine: SearchEngine, files: FileBox) -> None:
        self._settings = settings
        self._engine = engine
        self._files = files

    def find(self, inputs: Mapping[str, object], variable: str) -> Original:
        """The ad by its uploaded picture's name or its picture's address, else by given copy."""
        address, upload = self._read_picture(inputs.get(variable))
        row = self._find_row(address, upload)
        size = _bound((upload and upload.picture_size) or _row_size(row))
        if row is None:
            given = str(inputs.get(ORIGINAL) or "")
            brand, _, rest = given.strip().partition("\n")
            host = urlsplit(address).hostname or ""
            is_own = upload is not None or address.startswith(self._settings.base_url)
            return Original(brand or ("" if is_own else host) or _NOBODY, rest.strip(), size=size)
        brand, snippet = _read_copy(row)
        return Original(brand, snippet, str(row["ad_creative_id"]), size)

    def _read_picture(self, value: object) -> tuple[str, Upload | None]:
        """The address or the upload that an input of any kind stands for."""
        if isinstance(value, list):
            value = value[0] if value else ""
        if isinstance(value, dict):
            if value.get("transfer_method") == "local_file":
                return "", self._files.find_upload(value.get("upload_file_id"))
            value = value.get("url")
        address = value.strip() if isinstance(value, str) else ""
        match = _UPLOAD_PATH.search(address)
        return address, self._files.find_upload(match[1]) if match else None

    def _find_row(self, address: str, upload: Upload | None) -> Row | None:
        match = _CREATIVE_ID.match(upload.name) if upload else _PICTURE_PATH.search(address)
        if match is None:
            return None
        return self._engine.catalogue.find(match[match.lastindex or 0])


def _read_copy(row: Row) -> tuple[str, str]:
    """Brand and snippet, as the ad's details tell them."""
    for one in find_variations(row):
        if snippet := one.get("snippet"):
            return str(one.get("advertiser_name") or row["advertiser"]), str(snippet)
    return str(row["advertiser"]), ""


def _row_size(row: Row | None) -> Size:
    if row is None:
        return DEFAULT_SIZE
    return int(row.get("width", DEFAULT_SIZE[0])), int(row.get("height", DEFAULT_SIZE[1]))


def _bound(size: Size) -> Size:
    width, height = (min(LARGEST, max(_SMALLEST, side)) for side in size)
    return width, height
