"""Lay an ad out in a page and take its screenshot; sizes in CSS pixels."""

import base64
import math
from dataclasses import dataclass
from html import escape
from typing import Self
from urllib.parse import urlsplit

from playwright.async_api import Error as BrowserError
from playwright.async_api import FloatRect, Page

from adspark.media.images import NormalPicture
from adspark.rendering.request_interceptor import RequestInterceptor

LONGEST_SIDE = 4096
MOST_PIXELS = 40_000_000  # device pixels of one screenshot

# What shows the ad on a page of the Transparency Center, the narrowest first.
_AD_SELECTORS = (
    "html-renderer",
    ".creative-container",
    "creative-preview",
    "creative-details",
    "main",
)
_PLACE = "adspark-preview"
_DONE = "adsparkPreviewDone"
_NONCES = ("htmlParentId", "responseCallback")
_LOST = ("crashed", "closed", "Protocol error")  # in messages of what is no script's doing
_PLAIN = "html,body{margin:0;padding:0;background:#fff}"
_PICTURE = (
    "<!doctype html><style>{plain}html{{overflow:hidden}}"
    "img{{display:block;width:{width}px;height:{height}px}}</style>"
    '<img decoding="sync" src="data:{media_type};base64,{data}">'
)
_PREVIEW = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><style>{plain}'
    "#{place}{{display:inline-block;vertical-align:top{style}}}</style><script>"
    "window.{done}=function(){{window.adsparkIsDone=true}}</script></head>"
    '<body><div id="{place}"></div><script src="{script}"></script></body></html>'
)
# A script may have replaced the whole page, and what pages call in their scripts.
_IS_RENDERED = f"""() => {{
  try {{
    if (window.adsparkIsDone) return true;
    const place = document.getElementById("{_PLACE}");
    const all = document.createRange();
    all.selectNodeContents(place || document.body);
    const boxes = place ? [place.getBoundingClientRect()] : Array.from(all.getClientRects());
    return boxes.some((box) => box.width > 0 && box.height > 0);
  }} catch (error) {{ return false; }}
}}"""
# An ad may stand outside its parent's box, as an absolutely positioned one does.
_MEASURE = """(selectors) => {
  for (const selector of selectors) {
    const found = document.querySelector(selector);
    if (!found) continue;
    const own = found.getBoundingClientRect();
    let boxes = [own];
    if (selector === "body") {
      const all = document.createRange();
      all.selectNodeContents(found);
      boxes = Array.from(all.getClientRects());
    } else if (own.width < 1 || own.height < 1)
      boxes = Array.from(found.querySelectorAll("*"), (one) => one.getBoundingClientRect());
    boxes = boxes.filter((box) => box.width >= 1 && box.height >= 1);
    if (!boxes.length) continue;
    const left = Math.min(...boxes.map((box) => box.left)) + window.scrollX;
    const top = Math.min(...boxes.map((box) => box.top)) + window.scrollY;
    const right = Math.max(...boxes.map((box) => box.right)) + window.scrollX;
    const bottom = Math.max(...boxes.map((box) => box.bottom)) + window.scrollY;
    return [left, top, right - left, bottom - top];
  }
  return null;
}"""
_FONTS = "async () => { await document.fonts.ready; }"


@dataclass(frozen=True)
class Size:
    """A width and a height, at least 1."""

    width: int
    height: int

    def shrunk(self, scale: float) -> Self:
        """The same shape within the bounds, for a screenshot at a device scale factor."""
        pixels = self.width * self.height * scale**2
        factor = min(
            1, LONGEST_SIDE / max(self.width, self.height), math.sqrt(MOST_PIXELS / pixels)
        )
        return type(self)(
            max(1, math.floor(self.width * factor)), max(1, math.floor(self.height * factor))
        )


async def capture_picture(page: Page, picture: NormalPicture, size: Size) -> bytes:
    """The PNG of a picture, stretched over the viewport.

    Args:
        page: an empty page.
        picture: of any size.
        size: of the viewport.
    """
    html = _PICTURE.format(
        plain=_PLAIN,
        width=size.width,
        height=size.height,
        media_type=picture.info.media_type,
        data=base64.b64encode(picture.content).decode("ascii"),
    )
    await page.set_content(html)
    return await _screenshot(page)


async def capture_page(interceptor: RequestInterceptor, url: str) -> bytes:
    """The PNG of the ad on a page, or of the viewport where none is found.

    Raises:
        AdSparkError: the page itself was refused or could not be downloaded.
    """
    await interceptor.page.goto(url, wait_until="load")
    return await _capture_loaded(interceptor, _AD_SELECTORS)


async def capture_preview(interceptor: RequestInterceptor, url: str) -> bytes:
    """The PNG of what a preview script renders into the page at `url`, made by `write_preview`.

    A script that leaves its place empty is shown by whatever it has made of the page, and one that
    breaks our own scripts by the viewport.

    Raises:
        AdSparkError: the page went somewhere else, in vain.
    """
    page = interceptor.page
    await page.goto(url, wait_until="commit")
    try:
        await page.wait_for_function(_IS_RENDERED, timeout=interceptor.timeout * 1000)
    except BrowserError as error:
        _raise_unless_from_page(page, error)
        interceptor.check()
    return await _capture_loaded(interceptor, (f"#{_PLACE}", "body"))


def preview_script(link: str) -> str:
    """The address of a preview script, with the parameters that make it render into our page."""
    address, _, query = link.partition("#")[0].partition("?")
    kept = [part for part in query.split("&") if part and part.partition("=")[0] not in _NONCES]
    return f"{address}?{'&'.join([*kept, f'htmlParentId={_PLACE}', f'responseCallback={_DONE}'])}"


def write_preview(script: str, *, width: int | None) -> tuple[str, str]:
    """Address and HTML of the page that a preview script renders into."""
    html = _PREVIEW.format(
        plain=_PLAIN,
        place=_PLACE,
        done=_DONE,
        script=escape(script),
        style=f";width:{width}px" if width else "",
    )
    return f"{urlsplit(script).scheme}://preview.invalid/", html


async def _capture_loaded(interceptor: RequestInterceptor, selectors: tuple[str, ...]) -> bytes:
    page = interceptor.page
    await interceptor.wait_until_idle()
    await _evaluate(page, _FONTS)
    interceptor.check()
    return await _screenshot(page, await _measure(page, selectors))


async def _measure(page: Page, selectors: tuple[str, ...]) -> FloatRect | None:
    """The box of the first element that has a size, cut to the bounds; None where there is none."""
    found = await _evaluate(page, _MEASURE, list(selectors))
    if not isinstance(found, list) or not all(map(_is_number, found)):
        return None
    left, top, width, height = (float(side) for side in found)
    return FloatRect(
        x=max(0.0, math.floor(left)),
        y=max(0.0, math.floor(top)),
        width=_bounded(width),
        height=_bounded(height),
    )


async def _evaluate(page: Page, script: str, argument: object = None) -> object:
    """The result of a script of ours; None where the page's own scripts break it."""
    try:
        return await page.evaluate(script, argument)
    except BrowserError as error:
        _raise_unless_from_page(page, error)
        return None


def _raise_unless_from_page(page: Page, error: BrowserError) -> None:
    """Raise an error that is not a script's: the page, or the browser, was lost."""
    if page.is_closed() or any(word in error.message for word in _LOST):
        raise error


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _bounded(side: float) -> int:
    return min(LONGEST_SIDE, max(1, math.ceil(side)))


async def _screenshot(page: Page, clip: FloatRect | None = None) -> bytes:
    """A PNG of a box of the page, or of the viewport."""
    return await page.screenshot(
        type="png",
        clip=clip,
        full_page=clip is not None,
        animations="disabled",
        caret="hide",
        scale="device",
    )
