"""Files at Dify: uploads and drawn pictures, behind signed addresses that expire."""

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from adspark.errors import AdSparkError
from adspark.media.images import check_picture
from adspark.sandbox.dify.errors import DifyError, invalid_param, not_found
from adspark.sandbox.settings import SandboxSettings

if TYPE_CHECKING:  # it imports what is known of originals, and that these files
    from adspark.sandbox.dify.content.drawing import Poster

Size = tuple[int, int]


@dataclass(frozen=True)
class Upload:
    """A file that a user gave."""

    id: str
    user: str
    name: str
    media_type: str
    content: bytes
    picture_size: Size | None
    created_at: int

    @property
    def extension(self) -> str:
        """Without the dot."""
        return PurePath(self.name).suffix.removeprefix(".").lower()


@dataclass(frozen=True)
class Drawing:
    """A picture that a workflow drew; a broken one is served as garbage."""

    id: str
    poster: "Poster"
    is_broken: bool = False


class FileBox:
    """All files of one sandbox, and the signatures of their addresses."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._secret = secrets.token_bytes(32)
        self.clear()

    def clear(self) -> None:
        """Forget every file."""
        self._uploads: dict[str, Upload] = {}
        self._drawings: dict[str, Drawing] = {}
        self._contents: dict[bytes, bytes] = {}

    async def add_upload(self, user: str, name: str, media_type: str, content: bytes) -> Upload:
        """Keep a file; equal contents are kept once.

        Args:
            user: who gave it.
            name: of the file.
            media_type: as `image/png`.
            content: whatever it is.
        """
        kept = self._contents.setdefault(hashlib.sha256(content).digest(), content)
        size = await _measure(kept)
        upload = Upload(str(uuid.uuid4()), user, name, media_type, kept, size, self._now())
        self._uploads[upload.id] = upload
        return upload

    def add_drawing(self, poster: "Poster", *, is_broken: bool = False) -> Drawing:
        """Keep a picture, as the recipe that it is drawn by."""
        drawing = Drawing(str(uuid.uuid4()), poster, is_broken)
        self._drawings[drawing.id] = drawing
        return drawing

    def find_upload(self, file_id: object) -> Upload | None:
        return self._uploads.get(file_id) if isinstance(file_id, str) else None

    def take_upload(self, file_id: object, user: str) -> Upload:
        """An upload of this user.

        Raises:
            DifyError: the user has no such upload.
        """
        upload = self.find_upload(file_id)
        if upload is None or upload.user != user:
            raise invalid_param("Invalid upload file")
        return upload

    def open_upload(self, file_id: str, query: Mapping[str, str]) -> Upload:
        """The upload behind a signed address.

        Raises:
            DifyError: the address has expired or was not signed here, or nothing is there.
        """
        self._check(file_id, query)
        if upload := self._uploads.get(file_id):
            return upload
        raise not_found("File not found.")

    def open_drawing(self, file_id: str, query: Mapping[str, str]) -> Drawing:
        """The drawing behind a signed address.

        Raises:
            DifyError: the address has expired or was not signed here, or nothing is there.
        """
        self._check(file_id, query)
        if drawing := self._drawings.get(file_id):
            return drawing
        raise not_found("File not found.")

    def sign_upload(self, upload: Upload) -> str:
        """A path to it, good for a while from now."""
        return f"/files/{upload.id}/file-preview?{self._sign(upload.id, self._now())}"

    def sign_drawing(self, drawing: Drawing, *, is_expired: bool = False) -> str:
        """A path to it, good for a while from now, or no longer."""
        age = int(self._settings.files_expire_after) + 1 if is_expired else 0
        return f"/files/tools/{drawing.id}.png?{self._sign(drawing.id, self._now() - age)}"

    def _now(self) -> int:
        return int(self._settings.clock().timestamp())

    def _sign(self, file_id: str, timestamp: int) -> str:
        nonce = secrets.token_hex(16)
        return f"timestamp={timestamp}&nonce={nonce}&sign={self._seal(file_id, timestamp, nonce)}"

    def _seal(self, file_id: str, timestamp: int, nonce: str) -> str:
        message = f"file-preview|{file_id}|{timestamp}|{nonce}".encode()
        return base64.urlsafe_b64encode(hmac.digest(self._secret, message, "sha256")).decode()

    def _check(self, file_id: str, query: Mapping[str, str]) -> None:
        given = query.get("timestamp", "")
        timestamp = int(given) if given.isascii() and given.isdigit() and len(given) < 15 else 0
        seal = self._seal(file_id, timestamp, query.get("nonce", ""))
        is_genuine = hmac.compare_digest(seal.encode(), query.get("sign", "").encode())
        age = self._settings.clock().timestamp() - timestamp
        if not is_genuine or age > self._settings.files_expire_after:
            raise DifyError(403, "forbidden", "Invalid request.")


async def _measure(content: bytes) -> Size | None:
    """Width and height, of a picture."""
    try:
        info = await check_picture(content)
    except AdSparkError:
        return None
    return info.width, info.height
