"""httpx's requests, waiting as long as a busy machine takes."""

from functools import partial

import httpx

PATIENCE = 120.0  # seconds

get = partial(httpx.get, timeout=PATIENCE)
put = partial(httpx.put, timeout=PATIENCE)
post = partial(httpx.post, timeout=PATIENCE)
patch = partial(httpx.patch, timeout=PATIENCE)
delete = partial(httpx.delete, timeout=PATIENCE)
