"""Files: pictures of the media store, and what the pages load."""

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from adspark.errors import ConfigurationError, ServiceUnavailableError, UnusableContentError
from adspark.media.paths import media_type
from deployments.gallery.resources import GalleryDep

router = APIRouter(include_in_schema=False)

_FOREVER = "private, max-age=31536000, immutable"  # its name follows from its content
# A picture is shown by its true type and as nothing else, also where it is opened by itself.
_PICTURE_HEADERS = {
    "Cache-Control": _FOREVER,
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
_MISSING_HEADERS = {"Cache-Control": "no-store"}  # it may come back


@router.get("/static/{name}")
async def send_file(gallery: GalleryDep, name: str) -> Response:
    """A style sheet, a script or a drawing of the pages."""
    found = gallery.templates.files.get(name)
    if found is None:
        raise HTTPException(404)
    content, kind = found
    return Response(content, media_type=kind, headers={"Cache-Control": _FOREVER})


@router.get("/health")
async def check_health() -> dict[str, str]:
    """That the server answers."""
    return {"status": "ok"}


@router.get("/media/{path:path}")
async def send_picture(gallery: GalleryDep, path: str) -> Response:
    """A picture of the media store; nothing where it is not there: a browser shows its words."""
    kind = media_type(path)
    if kind is None:
        raise HTTPException(404)
    try:
        content = await gallery.media.read(path)
    except UnusableContentError:
        return Response(status_code=404, headers=_MISSING_HEADERS)
    except (ServiceUnavailableError, ConfigurationError):
        return Response(status_code=503, headers=_MISSING_HEADERS)
    return Response(content, media_type=kind, headers=_PICTURE_HEADERS)
