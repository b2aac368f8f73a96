"""How an ad is laid out in a page and photographed; sizes in CSS pixels."""

import base64
import math
from dataclasses import dataclass
from html import escape
from typing import Self
from urllib.parse import urlsplit

from playwright.async_api import Error as BrowserError
from playwright.async_api import FloatRect, Page

from adspark.rendering.request_interceptor import PageSupply

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
_GONE = ("crashed", "closed", "Protocol error")  # in messages of what is no script's doing
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
_IS_DRAWN = f"""() => {{
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
_HEIGHT = "() => document.documentElement.getBoundingClientRect().height"


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


async def draw_picture(page: Page, content: bytes, media_type: str, size: Size) -> bytes:
    """A picture, stretched over a viewport of that size."""
    html = _PICTURE.format(
        plain=_PLAIN,
        width=size.width,
        height=size.height,
        media_type=media_type,
        data=base64.b64encode(content).decode("ascii"),
    )
    await page.set_content(html)
    return await _shoot(page)


async def draw_html(page: Page, html: str, *, width: int, height: int | None) -> bytes:
    """HTML in a viewport; without a height, all of it."""
    # Without a doctype the body is as high as the viewport, so that its own height is unknown.
    is_whole = html.lstrip()[:9].lower() == "<!doctype"
    await page.set_content(html if is_whole else f"<!doctype html>{html}")
    if height is not None:
        return await _shoot(page)
    shown = float(await page.evaluate(_HEIGHT))
    return await _shoot(page, FloatRect(x=0, y=0, width=width, height=_bounded(shown)))


async def draw_page(page: Page, url: str, supply: PageSupply) -> bytes:
    """The ad on a page, or the viewport where none is found.

    Raises:
        AdSparkError: the page itself was refused or could not be downloaded.
    """
    await page.goto(url, wait_until="load")
    await supply.settle()
    await _ask(page, _FONTS)
    supply.check()
    return await _shoot(page, await _measure(page, _AD_SELECTORS))


async def draw_preview(page: Page, url: str, supply: PageSupply, *, patience: float) -> bytes:
    """What a preview script drew into the page at `url`, which `write_preview` wrote.

    A script that does not draw into its place is shown by whatever it has made of the page, and
    one that spoils our own scripts by the viewport.

    Args:
        patience: seconds that the script has for something to be seen.

    Raises:
        AdSparkError: the page went somewhere else, in vain.
    """
    await page.goto(url, wait_until="commit")
    try:
        await page.wait_for_function(_IS_DRAWN, timeout=patience * 1000)
    except BrowserError as error:
        _raise_unless_from_page(page, error)
        supply.check()
    await supply.settle()
    await _ask(page, _FONTS)
    supply.check()
    return await _shoot(page, await _measure(page, (f"#{_PLACE}", "body")))


def preview_script(link: str) -> str:
    """The address of a preview script that draws into our page; the rest of it stays as it is."""
    address, _, query = link.partition("#")[0].partition("?")
    kept = [part for part in query.split("&") if part and part.partition("=")[0] not in _NONCES]
    return f"{address}?{'&'.join([*kept, f'htmlParentId={_PLACE}', f'responseCallback={_DONE}'])}"


def write_preview(script: str, *, width: int | None) -> tuple[str, str]:
    """Address and HTML of the page that a preview script draws into."""
    html = _PREVIEW.format(
        plain=_PLAIN,
        place=_PLACE,
        done=_DONE,
        script=escape(script),
        style=f";width:{width}px" if width else "",
    )
    return f"{urlsplit(script).scheme}://preview.invalid/", html


async def _measure(page: Page, selectors: tuple[str, ...]) -> FloatRect | None:
    """The box of the first element that has a size, cut to the bounds; None where none is told."""
    found = await _ask(page, _MEASURE, list(selectors))
    if not isinstance(found, list) or not all(map(_is_number, found)):
        return None
    left, top, width, height = (float(side) for side in found)
    return FloatRect(
        x=max(0.0, math.floor(left)),
        y=max(0.0, math.floor(top)),
        width=_bounded(width),
        height=_bounded(height),
    )


async def _ask(page: Page, script: str, given: object = None) -> object:
    """What a script of ours gives; None where the page's own scripts get in its way."""
    try:
        return await page.evaluate(script, given)
    except BrowserError as error:
        _raise_unless_from_page(page, error)
        return None


def _raise_unless_from_page(page: Page, error: BrowserError) -> None:
    """Raise an error that is not from a script: the page, or the browser, is gone."""
    if page.is_closed() or any(sign in error.message for sign in _GONE):
        raise error


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _bounded(side: float) -> int:
    return min(LONGEST_SIDE, max(1, math.ceil(side)))


async def _shoot(page: Page, clip: FloatRect | None = None) -> bytes:
    """A PNG of a box of the page, or of the viewport."""
    return await page.screenshot(
        type="png",
        clip=clip,
        full_page=clip is not None,
        animations="disabled",
        caret="hide",
        scale="device",
    )
