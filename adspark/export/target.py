"""Where an export goes: a file, or an address of fsspec as `s3://bucket/folder/ads.csv`.

It is written in a folder of its own first, and appears under its name once it is whole. The folder
goes with the export; of one that was killed, the next to the same place removes what is left, for a
lock on the folder says whether anybody works in it.
"""

import errno
import fcntl
import hashlib
import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

import fsspec

from adspark.concurrency import in_thread
from adspark.errors import BusyError, InvalidQueryError
from adspark.export.failures import translated_errors
from adspark.export.formats import Format, format_of
from adspark.export.picture_folder import has_sibling, is_exported, keep_pictures
from adspark.home.new_file import name_file
from adspark.installation import install_command
from adspark.text.redaction import redact, safe_cause

_STORES = ("s3", "gs", "az", "abfs")
_PICTURE = re.compile(r"\w+\.\w+", re.ASCII)
_PASSWORD = re.compile(r"://[^/]*@")


class Target(ABC):
    """A place that can be written; `open_target` makes it.

    Attributes:
        format: by the ending.
        place: for people, without a password.
        stem: the name without its ending.
        pictures: the name of the folder for pictures, which lies beside the file.
        folder: what is put together lies here.
    """

    def __init__(self, name: str, place: str, folder: Path) -> None:
        self.format: Format = format_of(name)
        self.place = place
        self.stem = name[: -len(self.format)]
        self.pictures = f"{self.stem}-pictures"
        self.folder = folder

    @property
    def file(self) -> Path:
        """What becomes the export."""
        return self.folder / f"export{self.format}"

    @property
    def scratch(self) -> Path:
        """A folder for what is needed meanwhile."""
        return self.folder / "scratch"

    async def save_picture(self, name: str, content: bytes) -> None:
        """Keep a picture for the folder of pictures. Raises AdSparkError."""
        if _PICTURE.fullmatch(name):
            with translated_errors(self.place):
                await in_thread(self._save_picture, name, content)

    async def finish(self, *, with_pictures: bool, replaces: bool) -> None:
        """Let the file, and the pictures, appear in their place, or leave it as it was.

        Args:
            with_pictures: whether there is a folder of pictures.
            replaces: whether what is there may go.

        Raises:
            AdSparkError: something is there that may not go, or it cannot be written.
        """
        with translated_errors(self.place):
            await in_thread(self._finish, with_pictures, replaces)

    def make_folder(self) -> None:
        """Make the folder, where it is not there."""
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def clean(self, *, has_failed: bool) -> None:
        """Remove the folder and, after a failure, what is kept elsewhere already."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @abstractmethod
    def check_free(self, *, with_pictures: bool, replaces: bool) -> None:
        """Raise InvalidQueryError where there is something in its place that is not to be replaced:
        anything or, where it `replaces`, a folder with files that no export has made."""

    @abstractmethod
    def restore(self) -> None:
        """Put back what an export that was killed at its end had taken away."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is a file in its place."""

    @abstractmethod
    def _save_picture(self, name: str, content: bytes) -> None: ...

    @abstractmethod
    def _finish(self, with_pictures: bool, replaces: bool) -> None: ...


class _LocalTarget(Target):
    def __init__(self, path: Path) -> None:
        self._path = Path(os.path.realpath(path))
        folder = self._path.with_name(f".{self._path.name}.unfinished")
        super().__init__(path.name, str(path), folder)
        if self._path.is_dir():
            raise InvalidQueryError("file", f"{path} is a folder; name a file in it.")

    def check_free(self, *, with_pictures: bool, replaces: bool) -> None:
        for path in (self._path, *([self._beside] if with_pictures else [])):
            if path.exists() and not replaces:
                raise _taken(str(path))
        with translated_errors(self.place):
            if with_pictures and self._beside.exists() and not is_exported(self._beside):
                raise InvalidQueryError(
                    "file", f"{self._beside}, where its pictures go, holds what no export has "
                    "made; name another file."
                )  # fmt: skip

    def exists(self) -> bool:
        return self._path.exists()

    @property
    def _beside(self) -> Path:
        return self._path.with_name(self.pictures)

    def _save_picture(self, name: str, content: bytes) -> None:
        folder = self.folder / "pictures"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)

    def _finish(self, with_pictures: bool, replaces: bool) -> None:
        made, former = self.folder / "pictures", self.folder / "replaced"
        if with_pictures:
            made.mkdir(exist_ok=True)
            self._take_aside(former, replaces=replaces, made=made)
        try:
            if with_pictures:
                made.rename(self._beside)
            name_file(self.file, self._path, replaces=replaces)
        except OSError as error:
            if with_pictures:
                self._put_back(former, made=made)
            if isinstance(error, FileExistsError):
                raise _taken(str(self._path)) from None
            raise

    def _take_aside(self, former: Path, *, replaces: bool, made: Path) -> None:
        """Make room for the pictures; those that an export of another ending names stay."""
        if not self._beside.exists():
            return
        if not replaces:
            raise _taken(str(self._beside))
        if not is_exported(self._beside):  # meanwhile
            raise FileExistsError(errno.EEXIST, "it holds other files", str(self._beside))
        if has_sibling(self._path, stem=self.stem):
            keep_pictures(self._beside, made)
        self._beside.rename(former)

    def restore(self) -> None:
        former = self.folder / "replaced"
        if not former.exists() or not self.file.exists():  # nothing was taken away, or it appeared
            return
        if self._beside.exists():  # its own pictures, or those of another export since
            keep_pictures(former, self._beside)
        else:
            former.rename(self._beside)

    def _put_back(self, former: Path, *, made: Path) -> None:
        """The pictures as they were, after a failure."""
        if not made.exists():
            self._beside.rename(made)
        if former.exists():
            former.rename(self._beside)


class _RemoteTarget(Target):
    def __init__(self, url: str, home: Path) -> None:
        if url.partition("://")[0].lower() not in _STORES:
            raise InvalidQueryError(
                "file",
                f"{redact(url)}: write a path, or an address of s3://, gs://, az:// or abfs://.",
            )
        if _PASSWORD.search(url) or "::" in url:
            raise InvalidQueryError(
                "file", "an address holds no password; leave it to the environment, as for "
                "s3: AWS_ACCESS_KEY_ID."
            )  # fmt: skip
        name = PurePosixPath(url).name
        digest = hashlib.sha256(url.encode()).hexdigest()[:20]
        super().__init__(name, redact(url), home / "exports" / f".{digest}.unfinished")
        try:
            self._files, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise InvalidQueryError(
                "file",
                f"{self.place} cannot be used ({redact(str(error))}); its library is wanted, as of "
                f"s3://: {install_command('s3')}",
            ) from safe_cause(error)
        self._root = str(root)
        self._beside = f"{self._root.rpartition('/')[0]}/{self.pictures}"
        self._is_new = False  # what is beside: made by this export

    def exists(self) -> bool:
        with translated_errors(self.place):
            return bool(self._files.exists(self._root))

    def check_free(self, *, with_pictures: bool, replaces: bool) -> None:
        if replaces:  # it removes nothing there
            return
        with translated_errors(self.place):
            for root in (self._root, *([self._beside] if with_pictures else [])):
                if self._files.exists(root):
                    raise _taken(redact(str(self._files.unstrip_protocol(root))))

    def make_folder(self) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        super().make_folder()
        self._is_new = not self._files.exists(self._beside)

    def restore(self) -> None:  # nothing is taken away there
        pass

    def clean(self, *, has_failed: bool) -> None:
        if has_failed and self._is_new:
            with suppress(Exception):  # of any library; the failure before is what is told
                self._files.rm(self._beside, recursive=True)
        super().clean(has_failed=has_failed)

    def _save_picture(self, name: str, content: bytes) -> None:
        self._files.pipe_file(f"{self._beside}/{name}", content)

    def _finish(self, with_pictures: bool, replaces: bool) -> None:
        if not replaces:  # made meanwhile
            self.check_free(with_pictures=False, replaces=False)
        self._files.put_file(str(self.file), self._root)


def find_target(written: str, *, home: Path, base: Path) -> Target:
    """The place that a person names.

    Args:
        written: a path, or an address with `://`.
        home: ADSPARK_HOME, where exports to an address are put together.
        base: the folder that a path begins in.

    Raises:
        InvalidQueryError: it cannot be used, or its ending is not known.
    """
    if "\0" in written or not written.strip():
        raise InvalidQueryError("file", "is empty; write a path as ads.csv.")
    if "://" in written:
        return _RemoteTarget(written, home)
    with translated_errors(written):
        try:
            path = Path(written).expanduser()
        except RuntimeError as error:
            raise InvalidQueryError("file", f"{written}: there is no such user.") from error
        return _LocalTarget(base / path)


@contextmanager
def open_target(target: Target) -> Iterator[None]:
    """Work in the target's folder; it goes afterwards, with what it holds.

    Raises:
        BusyError: another export to the same place works in it.
        AdSparkError: it cannot be made.
    """
    with translated_errors(target.place):
        lock = _lock_folder(target)
        has_failed = True
        try:
            target.scratch.mkdir()
            yield
            has_failed = False
        finally:
            target.clean(has_failed=has_failed)
            os.close(lock)


def _lock_folder(target: Target) -> int:
    """Make the folder, empty; returns the descriptor that holds its lock."""
    while True:
        target.make_folder()
        with suppress(FileNotFoundError):  # the one that had it has just removed it
            lock = os.open(target.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(lock).st_ino == target.folder.stat().st_ino:
                    break
            except BlockingIOError:
                os.close(lock)
                raise BusyError(
                    f"{target.place} is being written by another export; wait for its end."
                ) from None
            os.close(lock)
    target.restore()
    for left in target.folder.iterdir():  # by one that was killed
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    return lock


def _taken(place: str) -> InvalidQueryError:
    return InvalidQueryError(
        "file", f"{place} exists; name another file, or replace it (--force, replace)."
    )
