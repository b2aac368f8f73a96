"""An object storage for tests, in this process: what `gs://` leads to while it is used."""

import errno
from typing import Any, ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem

PROTOCOL = "gs"


class MemoryStore(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Keeps files in a dictionary, by their path with a slash before the bucket.

    Attributes:
        protected: paths, spelled so, that it refuses to remove.
        full: folders, spelled so, in which it has no room.
    """

    protocol = PROTOCOL
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    protected: ClassVar[set[str]] = set()
    full: ClassVar[set[str]] = set()

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.replace(f"{PROTOCOL}://", "memory://")))

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: Any) -> None:  # noqa: ANN401
        place = self._strip_protocol(path)
        if any(place.startswith(f"{folder}/") for folder in self.full):
            raise OSError(errno.ENOSPC, "No space left on device", path)
        super().pipe_file(path, value, mode, **options)

    def _rm(self, path: str) -> None:
        if path in self.protected:
            raise PermissionError(errno.EPERM, "Operation not permitted", path)
        super()._rm(path)


fsspec.register_implementation(PROTOCOL, MemoryStore, clobber=True)
