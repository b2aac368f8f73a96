"""An object storage for tests, in this process: what `gs://` leads to while it is used."""

from typing import Any, ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem

PROTOCOL = "gs"


class MemoryStore(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Keeps files in a dictionary, by their path with a slash before the bucket."""

    protocol = PROTOCOL
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.replace(f"{PROTOCOL}://", "memory://")))


fsspec.register_implementation(PROTOCOL, MemoryStore, clobber=True)
