"""Where pictures are kept: a local folder, or anything that fsspec can write to, as S3.

A picture's path is made from what it is, so that saving it is idempotent: an archived picture and
its thumbnail by the hash of the picture, a variant by the hash of its normal form (`images`), a
rendered original by the hash of what it was rendered from. A file appears under its path whole or
not at all; what a process that was killed had not finished lies beside it under a hidden name.
"""

import asyncio
import errno
import os
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from adspark.errors import (
    NO_SPACE,
    AdSparkError,
    ConfigurationError,
    NoRoomError,
    ServiceUnavailableError,
    UnusableContentError,
)
from adspark.installation import install_command
from adspark.media.images import InspectedPicture, NormalPicture, check_picture, normalise_picture
from adspark.media.local_files import Entry, list_local
from adspark.media.paths import (
    hide,
    is_folder,
    is_path,
    original_path,
    picture_path,
    thumbnail_path,
    variant_path,
)
from adspark.media.s3_errors import ATTEMPTS, OPTIONS, find_fault, is_without_reason
from adspark.text.redaction import redact, remember_address, safe_cause
from adspark.text.sentences import with_full_stop

_Args = ParamSpec("_Args")
_Result = TypeVar("_Result")

MAX_BYTES = 20 * 1024 * 1024
# An object store dates an object when it is written: one that is used again is written again, but
# only once its date is so old that a clean-up might soon remove it as unused.
_FRESH = timedelta(hours=6)
_OWNER = ".adspark.json"  # at the root: whose pictures the store has
_UNUSABLE = (NotADirectoryError, IsADirectoryError, FileExistsError, PermissionError)
_REFUSALS = (errno.EROFS, errno.ELOOP)
_THREADS = 8  # of a store's own, so that one that does not answer keeps nothing else waiting
_S3 = ("s3://", "s3a://")


@dataclass(frozen=True)
class Listing:
    """What lies in the store.

    Attributes:
        pictures: their paths, with their sizes in bytes; what was never finished is among them,
            under its hidden name.
        strays: paths of what is none by its name, or a folder that is called like a picture.
    """

    pictures: dict[str, int]
    strays: list[str]


class StoreRefusedError(ConfigurationError):
    """Nothing can be kept in the store, or a picture not be removed; `reason` says why.

    What mends it is in the text, where it is not ADSPARK_MEDIA_URL also as `command`.
    """

    def __init__(self, place: str, reason: str, remedy: str | None = None) -> None:
        if remedy is not None:
            message = f"The media store at {place} cannot be used: {reason}"
            super().__init__(message, command=remedy)
        else:
            super().__init__(
                f"ADSPARK_MEDIA_URL: {place} cannot be used ({reason}); make it a folder or bucket "
                "that can be written, or name another one."
            )
        self.reason = reason


class MediaStore:
    """Pictures under one address: a folder, or an address of fsspec, such as `s3://bucket/folder`.

    The credentials of the latter are where its library looks for them, or in it: they are never
    shown. All calls raise ServiceUnavailableError where the store does not answer, and
    ConfigurationError where nothing can be kept there (StoreRefusedError), or its library is not
    installed.
    """

    def __init__(self, url: str) -> None:
        remember_address(url)
        self._is_s3 = url.startswith(_S3)
        try:
            self._files, root = fsspec.core.url_to_fs(url, **(OPTIONS if self._is_s3 else {}))
        except ValueError as error:
            raise ConfigurationError(
                f"ADSPARK_MEDIA_URL: {redact(url)!r} cannot be used ({redact(str(error))}); "
                "write a folder, or s3://bucket/folder."
            ) from safe_cause(error)
        except ImportError as error:
            raise ConfigurationError(
                f"ADSPARK_MEDIA_URL: {redact(url)!r} cannot be used "
                f"({redact(str(error))}). For S3: {install_command('s3')}"
            ) from safe_cause(error)
        except Exception as error:  # a library may connect at once, and has errors of its own
            raise ServiceUnavailableError(
                f"The media store at {redact(url)} does not answer: {type(error).__name__}."
            ) from safe_cause(error)
        if type(self._files) is MemoryFileSystem:
            raise ConfigurationError(
                f"ADSPARK_MEDIA_URL: {redact(url)!r} keeps nothing; name a folder, or s3://bucket."
            )
        self._root = str(root).rstrip("/")
        self._is_local = isinstance(self._files, LocalFileSystem)
        if self._is_s3:
            self._files.retries = ATTEMPTS
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="adspark-media")

    @property
    def folder(self) -> Path | None:
        """That of a local store."""
        return Path(self._root) if self._is_local else None

    @property
    def place(self) -> str:
        """Where a person finds it: a folder's path, or its address without a password."""
        return self._show(self._root)

    async def save_variant(self, content: bytes) -> tuple[str, NormalPicture]:
        """Keep a generated picture in its normal form; returns its path in the store and that form.

        Raises:
            UnusableContentError: it is no picture, or too large.
        """
        check_size(content)
        picture = await normalise_picture(content)
        return await self._save(variant_path(picture.info), picture.content), picture

    async def save_original(self, key: str, content: bytes) -> str:
        """Keep a rendered original under `key`, the hash of what it was rendered from.

        Raises:
            UnusableContentError: it is no PNG, or too large.
        """
        check_size(content)
        info = await check_picture(content)
        if info.format != "png":
            raise UnusableContentError(f"An original is kept as a PNG, and this is {info.format}.")
        return await self._save(original_path(key), content)

    async def save_archived(self, content: bytes, picture: InspectedPicture) -> tuple[str, str]:
        """Keep a picture as it came, and its thumbnail, under the hash of the picture.

        Returns:
            The paths of the picture and of the thumbnail.

        Raises:
            UnusableContentError: it is too large.
            ServiceUnavailableError: the store does not answer.
        """
        check_size(content)
        path = await self._save(picture_path(picture.info), content)
        return path, await self.save_thumbnail(picture)

    async def save_thumbnail(self, picture: InspectedPicture) -> str:
        """Keep the thumbnail of a picture under the hash of that; returns its path."""
        return await self._save(thumbnail_path(picture.info), picture.thumbnail)

    async def reuse(self, path: str) -> bool:
        """Whether a picture is kept under `path`; if so, a clean-up sees it as written just now."""
        return await self._call(self._reuse, self._place(path))

    async def has(self, path: str) -> bool:
        """Whether there is a picture under `path`."""
        try:
            await self._call(self._written_at, self._place(path))
        except (FileNotFoundError, UnusableContentError):
            return False
        return True

    async def read(self, path: str) -> bytes:
        """The picture under `path`. Raises UnusableContentError where there is none."""
        try:
            return bytes(await self._call(self._files.cat_file, self._place(path)))
        except FileNotFoundError as error:
            reason = "The media store has no such picture."
            raise UnusableContentError(reason) from safe_cause(error)

    async def read_one_of_many(self, path: str) -> bytes:
        """The picture under `path`, for work on many, which one that is unreadable does not end.

        Raises UnusableContentError also where it is refused twice and the store works otherwise.
        """
        with suppress(StoreRefusedError, ServiceUnavailableError):
            return await self.read(path)
        await self.check_writable()
        try:
            return await self.read(path)
        except StoreRefusedError as error:
            said = with_full_stop(f"The picture cannot be read: {error.reason}")
            raise UnusableContentError(said) from error

    async def list_folder(self, folder: str = "", *, is_deep: bool = True) -> Listing:
        """What lies in a folder, or in all; unless it `is_deep`, without what its folders hold."""
        return await self._call(self._list, folder, is_deep)

    async def is_older(self, path: str, moment: datetime) -> bool:
        """Whether a picture was written, or used again, before `moment`."""
        try:
            return await self._call(self._written_at, self._place(path)) < moment
        except FileNotFoundError:  # somebody else removed it
            return False

    async def remove_older(self, path: str, moment: datetime) -> bool:
        """Remove a picture unless it was written or used since `moment`; whether it was removed.

        Raises StoreRefusedError where its system does not let it go, as a protected file.
        """
        try:
            return await self._call(self._remove_older, self._place(path), moment)
        except FileNotFoundError:
            return False

    async def read_owner(self) -> bytes | None:
        """What `save_owner` kept; None: nothing."""
        try:
            return bytes(await self._call(self._files.cat_file, f"{self._root}/{_OWNER}"))
        except FileNotFoundError:
            return None

    async def save_owner(self, content: bytes) -> None:
        """Keep whose pictures the store has, in a file that no listing shows."""
        await self._write_to(f"{self._root}/{_OWNER}", content)

    async def check_writable(self) -> None:
        """Validate that the store can be written, by a tiny file that is removed again.

        Before, it has to say of the file that it is not there: S3 without the right to list refuses
        to, and so every picture that is new.
        """
        place = f"{self._root}/.check-{uuid.uuid4().hex}"
        with suppress(FileNotFoundError):
            await self._call(self._written_at, place)
        try:
            await self._call(self._write, place, b"AdSpark")
            await self._call(self._files.cat_file, place)
            await self._call(self._files.rm_file, place)
        except FileNotFoundError as error:
            raise self._missing(error) from safe_cause(error)

    def locate(self, path: str) -> str:
        """Where a person finds the picture: a file's path, or its address without a password."""
        return self._show(self._place(path))

    async def _save(self, path: str, content: bytes) -> str:
        if not await self.reuse(path):
            await self._write_to(self._place(path), content)
        return path

    async def _write_to(self, place: str, content: bytes) -> None:
        try:
            await self._call(self._write, place, content)
        except FileNotFoundError as error:  # of an object store: the bucket
            raise self._missing(error) from safe_cause(error)

    def _list(self, folder: str, is_deep: bool) -> Listing:
        start = len(self._root.lstrip("/")) + 1
        listing = Listing({}, [])
        for entry in self._entries(f"{self._root}/{folder}".rstrip("/"), is_deep):
            path = entry.place.strip("/")[start:]
            if is_path(path) and not entry.is_directory:
                listing.pictures[path] = entry.size
            elif path != _OWNER and not (entry.is_directory and is_folder(path)):
                listing.strays.append(path)
        return listing

    def _entries(self, top: str, is_deep: bool) -> Iterator[Entry]:
        if self._is_local:
            yield from list_local(top, is_deep=is_deep)
            return
        self._files.invalidate_cache()
        try:
            find = self._files.find if is_deep else self._files.ls
            found = find(top, detail=True)
        except FileNotFoundError:
            return
        for info in found.values() if is_deep else found:
            place, size = str(info["name"]), int(info["size"] or 0)
            # A console shows an empty object whose key ends in a slash as a folder.
            if info["type"] != "directory" and (size or not place.endswith("/")):
                yield Entry(place, size, is_directory=False)

    def _reuse(self, place: str) -> bool:
        try:
            if self._is_local:
                self._touch(place)
            elif datetime.now(UTC) - self._written_at(place) > _FRESH:
                self._files.pipe_file(place, self._files.cat_file(place))
        except FileNotFoundError:
            return False
        return True

    def _touch(self, place: str) -> None:
        try:
            os.utime(place)
        except PermissionError:  # another account's file: dated only by being written
            self._write(place, Path(place).read_bytes())

    def _written_at(self, place: str) -> datetime:
        if self._is_local:
            return datetime.fromtimestamp(_modified(place), UTC)
        self._files.invalidate_cache(place)
        moment: datetime = self._files.modified(place)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _remove_older(self, place: str, moment: datetime) -> bool:
        if not self._is_local:
            is_older = self._written_at(place) < moment
            if is_older:
                self._files.rm_file(place)
            return is_older
        # Renamed first: what is used before that is seen, and afterwards it is not there and so
        # written again.
        renamed = hide(Path(place))
        Path(place).rename(renamed)
        is_older = self._written_at(str(renamed)) < moment
        if is_older or self._files.exists(place):
            renamed.unlink()
        else:
            renamed.rename(place)
        return is_older

    def _write(self, place: str, content: bytes) -> None:
        if not self._is_local:  # an object store shows an object once it is whole
            self._files.pipe_file(place, content)
            return
        target = Path(place)
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = hide(target)
        try:
            unfinished.write_bytes(content)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)

    async def _call(
        self, function: Callable[_Args, _Result], *args: _Args.args, **kwargs: _Args.kwargs
    ) -> _Result:
        loop, work = asyncio.get_running_loop(), partial(function, *args, **kwargs)
        try:
            return await loop.run_in_executor(self._threads, work)
        except FileNotFoundError:
            raise
        except Exception as error:  # every store has exceptions of its own
            if self._is_s3 and is_without_reason(error):
                error = await loop.run_in_executor(self._threads, self._find_reason, error)
            raise self._translate(error) from safe_cause(error)

    def _find_reason(self, error: Exception) -> Exception:
        """The error of a request whose answer says why, where there is one."""
        try:
            self._files.cat_file(f"{self._root}/{_OWNER}", start=0, end=1)
        except FileNotFoundError:
            return error
        except Exception as told:
            return told
        return error

    def _translate(self, error: Exception) -> AdSparkError:
        if self._is_s3 and (fault := find_fault(error)):
            return StoreRefusedError(self.place, redact(fault.reason), fault.remedy)
        if not isinstance(error, OSError):
            return self._unavailable(type(error).__name__)
        reason = error.strerror or str(error)
        if isinstance(error, _UNUSABLE) or error.errno in _REFUSALS:
            return self._unusable(reason)
        return self._full(reason) if error.errno in NO_SPACE else self._unavailable(reason)

    def _missing(self, error: FileNotFoundError) -> AdSparkError:
        """What is wrong where a file cannot be written because something else is not there."""
        if self._is_s3 and find_fault(error):
            return self._translate(error)
        return self._unusable("there is no such place")

    def _unusable(self, reason: str) -> StoreRefusedError:
        return StoreRefusedError(self.place, redact(reason))

    def _full(self, reason: str) -> NoRoomError:
        return NoRoomError(
            f"The media store at {self.place} has no room ({redact(reason)}); make some."
        )

    def _unavailable(self, reason: str) -> ServiceUnavailableError:
        return ServiceUnavailableError(
            with_full_stop(f"The media store at {self.place} does not answer: {redact(reason)}")
        )

    def _show(self, place: str) -> str:
        return place if self._is_local else redact(str(self._files.unstrip_protocol(place)))

    def _place(self, path: str) -> str:
        if not is_path(path):
            raise UnusableContentError(f"{path!r} is no path of the media store.")
        return f"{self._root}/{path}"


def _modified(place: str) -> float:
    """When a file was written; of a link that leads nowhere, the link itself."""
    try:
        return Path(place).stat().st_mtime
    except OSError:
        return Path(place).lstat().st_mtime


def check_size(content: bytes) -> None:
    """Raise UnusableContentError for a picture that is too large to be kept."""
    if len(content) > MAX_BYTES:
        raise UnusableContentError(
            f"A picture of {len(content) / 2**20:.0f} MB is too large; at most "
            f"{MAX_BYTES // 2**20} MB."
        )
