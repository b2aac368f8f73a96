"""Pictures of ads, drawn by a real browser from servers that mean well or harm."""

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from PIL import Image

from adspark.errors import (
    AdSparkError,
    ConfigurationError,
    ServiceUnavailableError,
    UnusableContentError,
)
from adspark.models import Creative, CreativeFormat
from adspark.net.addresses import AddressRules
from adspark.rendering.render_target import (
    RenderKind,
    RenderTarget,
    choose_render_target,
    rendering_key,
)
from adspark.rendering.renderer import Renderer
from tests.support.hostile_pages import BLUE, RED, HostileServer, count_visitors, serve_hostile

LIMIT = 5.0  # seconds for what never ends; whatever comes before that takes a fraction of them
PATIENCE = 60.0  # seconds for what ends by itself; nothing waits for them
WAITS = 20.0  # seconds for what ends with its requests' share of them, and is rendered in the rest
HANGS = 90.0  # seconds; what is not limited would take for ever
WHITE = (255, 255, 255)


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with serve_hostile() as made:
        yield made


@pytest.fixture(scope="module")
def renderer_of(server: HostileServer) -> Callable[..., Renderer]:
    """Makes renderers that may ask the server."""

    def make(
        *,
        scale: float = 1.0,
        time_limit: float = LIMIT,
        program: Path | None = None,
        browser_memory: int = 1024,
    ) -> Renderer:
        return Renderer(
            AddressRules([server.host]),
            program=program,
            chromium_sandbox=False,
            browser_memory=browser_memory,
            time_limit=time_limit,
            scale=scale,
        )

    return make


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def renderer(renderer_of: Callable[..., Renderer]) -> AsyncIterator[Renderer]:
    """A browser for all that is drawn."""
    async with renderer_of(time_limit=PATIENCE) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hasty(renderer_of: Callable[..., Renderer]) -> AsyncIterator[Renderer]:
    """A browser that has to survive everything that is done to it, and a short limit."""
    async with renderer_of() as made:
        yield made


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def patient(renderer_of: Callable[..., Renderer]) -> AsyncIterator[Renderer]:
    """Time enough for a page to be drawn after all that it waits for in vain."""
    async with renderer_of(time_limit=WAITS) as made:
        yield made


def _size(png: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(png)) as image:
        return image.size


def _pixel(png: bytes, x: int, y: int) -> tuple[int, ...]:
    with Image.open(io.BytesIO(png)) as image:
        pixel = image.convert("RGB").getpixel((x, y))
        assert isinstance(pixel, tuple)
        return pixel


def _left_over() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _kill_browsers(before: set[int]) -> None:
    """SIGKILL for browsers that were not there before; the end of one may be that of others."""
    for process in _left_over():
        with suppress(psutil.NoSuchProcess):
            if process.pid not in before and "chrom" in process.name():
                process.kill()


async def _wait_for_nothing(before: set[int]) -> list[str]:
    """Names of the processes that are still there after a moment for the system."""
    for _ in range(600):
        left = [process for process in _left_over() if process.pid not in before]
        if not left:
            return []
        await asyncio.sleep(0.05)
    return [process.name() for process in left]


# Sizes and colours


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (None, None, (60, 40)),
        (120, 100, (120, 100)),
        (30, None, (30, 20)),
        (None, 80, (120, 80)),
        (0, -4, (60, 40)),
        (9000, 6000, (4096, 2730)),
    ],
)
async def test_a_picture_is_drawn_at_its_own_size(
    server: HostileServer,
    renderer: Renderer,
    width: int | None,
    height: int | None,
    expected: tuple[int, int],
) -> None:
    drawn = await renderer.render(
        RenderTarget(RenderKind.PICTURE, f"{server.url}/picture", width, height)
    )
    assert _size(drawn) == expected
    assert _pixel(drawn, expected[0] // 8, expected[1] // 2) == RED
    assert _pixel(drawn, expected[0] - expected[0] // 8, expected[1] - 2) == BLUE


@pytest.mark.parametrize("picture_format", ["JPEG", "WEBP", "GIF"])
async def test_every_kind_of_picture_is_drawn(
    server: HostileServer, renderer: Renderer, picture_format: str
) -> None:
    url = f"{server.url}/picture?format={picture_format}"
    drawn = await renderer.render(RenderTarget(RenderKind.PICTURE, url))
    assert _size(drawn) == (60, 40)
    near = zip(_pixel(drawn, 5, 20), RED, strict=True)
    assert all(abs(seen - meant) < 12 for seen, meant in near)


async def test_a_picture_of_one_colour_is_drawn(server: HostileServer, renderer: Renderer) -> None:
    drawn = await renderer.render(RenderTarget(RenderKind.PICTURE, f"{server.url}/picture?plain=1"))
    assert _pixel(drawn, 50, 20) == RED


async def test_a_preview_is_drawn_at_the_size_of_what_it_draws(
    server: HostileServer, renderer: Renderer
) -> None:
    link = f"{server.url}/script/draws?creativeId=1&htmlParentId=old&responseCallback=old"
    drawn = await renderer.render(RenderTarget(RenderKind.PREVIEW, link))
    assert _size(drawn) == (320, 180)
    assert (_pixel(drawn, 80, 90), _pixel(drawn, 240, 90)) == (RED, BLUE)


async def test_a_page_is_drawn_at_the_size_of_the_ad_on_it(
    server: HostileServer, renderer: Renderer
) -> None:
    drawn = await renderer.render(RenderTarget(RenderKind.PAGE, f"{server.url}/page/plain"))
    assert _size(drawn) == (300, 120)
    assert _pixel(drawn, 0, 60)[0] > 240
    assert _pixel(drawn, 299, 60)[2] > 240


async def test_scale_two_doubles_the_pixels(
    server: HostileServer, renderer_of: Callable[..., Renderer]
) -> None:
    async with renderer_of(scale=2.0, time_limit=PATIENCE) as renderer:
        drawn = await renderer.render(RenderTarget(RenderKind.PICTURE, f"{server.url}/picture"))
        assert _size(drawn) == (120, 80)
        drawn = await renderer.render(
            RenderTarget(RenderKind.PREVIEW, f"{server.url}/script/draws")
        )
        assert _size(drawn) == (640, 360)


async def test_the_same_input_gives_the_same_picture(
    server: HostileServer, renderer: Renderer
) -> None:
    for target in (
        RenderTarget(RenderKind.PICTURE, f"{server.url}/picture"),
        RenderTarget(RenderKind.PREVIEW, f"{server.url}/script/draws"),
        RenderTarget(RenderKind.PAGE, f"{server.url}/page/plain"),
    ):
        first, second = [await renderer.render(target) for _ in range(2)]
        assert first == second


async def test_recorded_ads_are_drawn_from_the_sandbox(sandbox_url: str) -> None:
    rules = AddressRules([sandbox_url.removeprefix("http://")])
    advertiser, creative = "AR17828074650563772417", "CR03692439648442777601"
    async with Renderer(rules, chromium_sandbox=False, time_limit=PATIENCE) as renderer:
        page = f"{sandbox_url}/advertiser/{advertiser}/creative/{creative}"
        drawn = await renderer.render(RenderTarget(RenderKind.PAGE, page))
        assert _size(drawn)[0] > 500
        link = f"{sandbox_url}/ads/preview/content.js?creativeId=753416944045"
        drawn = await renderer.render(RenderTarget(RenderKind.PREVIEW, link))
        assert _size(drawn) == (380, 214)


async def test_several_pictures_at_once_do_not_disturb_each_other(
    server: HostileServer, renderer: Renderer
) -> None:
    sizes = [(20 + n, 30 + n) for n in range(12)]
    drawn = await asyncio.gather(
        *(
            renderer.render(RenderTarget(RenderKind.PICTURE, f"{server.url}/picture", *size))
            for size in sizes
        )
    )
    assert [_size(one) for one in drawn] == sizes


# Names and targets


def _target(**changes: object) -> RenderTarget:
    return replace(RenderTarget(RenderKind.PREVIEW, "x", 1, 2), **changes)  # type: ignore[arg-type]


async def test_the_same_input_has_the_same_key_and_nothing_else_has_it(
    renderer: Renderer,
) -> None:
    assert rendering_key(_target()) == rendering_key(_target(), 1.0) == renderer.key(_target())
    others = [
        rendering_key(_target(), 2.0),
        rendering_key(_target(width=2)),
        rendering_key(_target(height=None)),
        rendering_key(_target(width=None)),
        rendering_key(_target(url="y")),
        rendering_key(_target(kind=RenderKind.PAGE)),
    ]
    assert len({rendering_key(_target()), *others}) == 7


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"image_url": "i", "video_link": "v", "details_link": "d", "width": 3, "height": 4},
            RenderTarget(RenderKind.PICTURE, "i", 3, 4),
        ),
        ({"video_link": "v", "details_link": "d"}, RenderTarget(RenderKind.PREVIEW, "v")),
        ({"details_link": "d"}, RenderTarget(RenderKind.PAGE, "d")),
    ],
)
async def test_a_creative_is_shown_by_the_best_that_it_has(
    fields: dict[str, object], expected: RenderTarget
) -> None:
    creative = Creative(
        ad_creative_id="CR1", advertiser_id="AR1", format=CreativeFormat.IMAGE, content_hash=""
    )
    for name, value in fields.items():
        setattr(creative, name, value)
    assert choose_render_target(creative) == expected


async def test_a_creative_with_nothing_to_show_is_refused() -> None:
    creative = Creative(
        ad_creative_id="CR1", advertiser_id="AR1", format=CreativeFormat.IMAGE, content_hash=""
    )
    with pytest.raises(UnusableContentError, match="CR1 has no picture"):
        choose_render_target(creative)


# What is refused or cut off


@pytest.mark.parametrize(
    ("kind", "path", "error", "message"),
    [
        (RenderKind.PICTURE, "/status/404", UnusableContentError, "answered 404"),
        (RenderKind.PICTURE, "/status/500", ServiceUnavailableError, "answered 500"),
        (RenderKind.PICTURE, "/empty", UnusableContentError, "is empty"),
        (RenderKind.PICTURE, "/truncated", UnusableContentError, "broken"),
        (RenderKind.PICTURE, "/page/plain", UnusableContentError, "not a PNG"),
        (RenderKind.PICTURE, "/bomb.png", UnusableContentError, "million pixels"),
        (RenderKind.PICTURE, "/bomb.gz", UnusableContentError, "larger than 20 MB"),
        (RenderKind.PICTURE, "/big", UnusableContentError, "larger than 20 MB"),
        (RenderKind.PICTURE, "/trickle", ServiceUnavailableError, "did not arrive"),
        (
            RenderKind.PICTURE,
            "/redirect?to=http://10.0.0.1/",
            UnusableContentError,
            "private address",
        ),
        (RenderKind.PREVIEW, "/status/404", UnusableContentError, "answered 404"),
        (
            RenderKind.PREVIEW,
            "/redirect?to=http://10.0.0.1/",
            UnusableContentError,
            "private address",
        ),
        (RenderKind.PREVIEW, "/script/silent", UnusableContentError, "shows nothing"),
        (RenderKind.PREVIEW, "/script/throws", UnusableContentError, "shows nothing"),
        (RenderKind.PREVIEW, "/script/calls-only", UnusableContentError, "shows nothing"),
        (
            RenderKind.PREVIEW,
            "/script/draws-then-loops",
            UnusableContentError,
            "not rendered within 5 s",
        ),
        (RenderKind.PAGE, "/status/404", UnusableContentError, "answered 404"),
        (RenderKind.PAGE, "/status/503", ServiceUnavailableError, "answered 503"),
        (RenderKind.PAGE, "/trickle", ServiceUnavailableError, "did not arrive"),
        (RenderKind.PAGE, "/redirect?to=http://10.0.0.1/", UnusableContentError, "private address"),
        (RenderKind.PAGE, "/page/private-move", UnusableContentError, "private address"),
        (RenderKind.PAGE, "/page/reload", UnusableContentError, "from address to address"),
        (
            RenderKind.PAGE,
            "/page/requests",
            UnusableContentError,
            "more than 400|not rendered within",
        ),
        (RenderKind.PAGE, "/page/blank", UnusableContentError, "shows nothing"),
        (RenderKind.PAGE, "/page/empty", UnusableContentError, "shows nothing"),
        (RenderKind.PAGE, "/page/loop", UnusableContentError, "not rendered within 5 s"),
        (RenderKind.PAGE, "/page/late-loop", UnusableContentError, "not rendered within 5 s"),
        (RenderKind.PAGE, "/page/endless-dialogs", UnusableContentError, "not rendered within 5 s"),
        (RenderKind.PAGE, "/page/memory", UnusableContentError, "memory|not rendered within"),
    ],
)
async def test_what_cannot_be_drawn_is_refused_in_time_with_its_cause(
    server: HostileServer,
    renderer: Renderer,
    hasty: Renderer,
    patient: Renderer,
    kind: RenderKind,
    path: str,
    error: type[AdSparkError],
    message: str,
) -> None:
    is_endless = "not rendered" in message or "did not arrive" in message
    waiting = patient if "shows nothing" in message else renderer
    with pytest.raises(error, match=message) as caught:
        async with asyncio.timeout(HANGS):
            await (hasty if is_endless else waiting).render(
                RenderTarget(kind, f"{server.url}{path}")
            )
    assert "\n" not in str(caught.value)
    assert server.hits["/status/204"] <= 200  # of a page that sends requests without end
    if "not rendered" in message:  # the next picture is rendered as if nothing had been
        drawn = await hasty.render(RenderTarget(RenderKind.PICTURE, f"{server.url}/picture"))
        assert _size(drawn)[0] == 60


@pytest.mark.parametrize("kind", [RenderKind.PICTURE, RenderKind.PREVIEW, RenderKind.PAGE])
@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/x", "http://localhost:1/x", "file:///etc/passwd", "chrome://version"]
)
async def test_an_address_that_is_not_allowed_is_not_drawn(
    hasty: Renderer, kind: RenderKind, url: str
) -> None:
    with pytest.raises(UnusableContentError, match=r"private address|Only http"):
        await hasty.render(RenderTarget(kind, url))


@pytest.mark.parametrize(
    "page",
    [
        "dialogs",
        "popups",
        "download",
        "unload",
        "heavy",
        "private-part",
        "file-part",
    ],
)
async def test_a_page_is_drawn_without_the_harm_on_it(
    server: HostileServer, renderer: Renderer, page: str
) -> None:
    server.sent.clear()
    drawn = await renderer.render(RenderTarget(RenderKind.PAGE, f"{server.url}/page/{page}"))
    assert _size(drawn) == (300, 120)
    assert server.sent["/sized"] < 200 * 1024 * 1024


async def test_a_page_is_drawn_without_what_never_arrives(
    server: HostileServer, patient: Renderer
) -> None:
    drawn = await patient.render(RenderTarget(RenderKind.PAGE, f"{server.url}/page/never-loads"))
    assert _size(drawn) == (300, 120)


@pytest.mark.parametrize("page", ["reach-out", "reach-out-by-markup"])
async def test_nothing_on_a_page_reaches_a_private_server(
    server: HostileServer, renderer: Renderer, page: str
) -> None:
    with count_visitors() as (private, visits):
        url = f"{server.url}/page/{page}?target={private}"
        await renderer.render(RenderTarget(RenderKind.PAGE, url))
        await asyncio.sleep(0.3)
        assert visits == []
    assert server.hits[f"/page/{page}"] > 0


async def test_a_picture_whose_address_looks_like_markup_stays_a_picture(
    server: HostileServer, renderer: Renderer
) -> None:
    url = f"{server.url}/picture?x='\"><script>document.body.innerHTML=''</script>"
    drawn = await renderer.render(RenderTarget(RenderKind.PICTURE, url))
    assert _pixel(drawn, 5, 20) == RED


async def test_no_message_carries_the_query(server: HostileServer, renderer: Renderer) -> None:
    for kind in (RenderKind.PICTURE, RenderKind.PREVIEW, RenderKind.PAGE):
        with pytest.raises(UnusableContentError) as caught:
            await renderer.render(RenderTarget(kind, f"{server.url}/status/404?signature=secret"))
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "script",
    ["replaces-body", "empties-body", "writes", "draws-beside"],
)
async def test_a_preview_is_drawn_wherever_its_script_draws(
    server: HostileServer, patient: Renderer, script: str
) -> None:
    drawn = await patient.render(RenderTarget(RenderKind.PREVIEW, f"{server.url}/script/{script}"))
    assert _size(drawn) == (320, 180)
    assert (_pixel(drawn, 80, 90), _pixel(drawn, 240, 90)) == (RED, BLUE)


@pytest.mark.parametrize("script", ["breaks-ours", "lies"])
async def test_a_preview_is_drawn_although_its_script_breaks_ours(
    server: HostileServer, patient: Renderer, script: str
) -> None:
    drawn = await patient.render(RenderTarget(RenderKind.PREVIEW, f"{server.url}/script/{script}"))
    assert (_pixel(drawn, 80, 90), _pixel(drawn, 240, 90)) == (RED, BLUE)


async def test_a_preview_of_nothing_but_words_is_drawn(
    server: HostileServer, renderer: Renderer
) -> None:
    drawn = await renderer.render(
        RenderTarget(RenderKind.PREVIEW, f"{server.url}/script/text-only")
    )
    assert 100 < _size(drawn)[0] < 1280


@pytest.mark.parametrize("script", ["removes-body", "removes-all", "silent"])
async def test_a_script_that_leaves_nothing_to_be_shown_is_told_in_a_plain_line(
    server: HostileServer, patient: Renderer, script: str
) -> None:
    with pytest.raises(UnusableContentError) as caught:
        await patient.render(RenderTarget(RenderKind.PREVIEW, f"{server.url}/script/{script}"))
    assert str(caught.value) == "The preview shows nothing."


@pytest.mark.parametrize("page", ["workers", "canvases", "iframes"])
async def test_a_page_that_takes_too_much_memory_ends_the_browser_and_names_the_setting(
    server: HostileServer, renderer_of: Callable[..., Renderer], page: str
) -> None:
    async with renderer_of(time_limit=PATIENCE, browser_memory=600) as renderer:
        with pytest.raises(UnusableContentError, match="ADSPARK_BROWSER_MEMORY") as caught:
            await renderer.render(RenderTarget(RenderKind.PAGE, f"{server.url}/page/{page}"))
        assert "more than 600 MB" in str(caught.value)
        drawn = await renderer.render(RenderTarget(RenderKind.PICTURE, f"{server.url}/picture"))
        assert _size(drawn)[0] == 60


async def test_an_ad_beside_one_that_takes_too_much_memory_is_drawn_all_the_same(
    server: HostileServer, renderer_of: Callable[..., Renderer]
) -> None:
    async with renderer_of(time_limit=PATIENCE, browser_memory=600) as renderer:
        hungry, other = await asyncio.gather(
            renderer.render(RenderTarget(RenderKind.PAGE, f"{server.url}/page/workers")),
            renderer.render(RenderTarget(RenderKind.PAGE, f"{server.url}/page/slow")),
            return_exceptions=True,
        )
        assert "ADSPARK_BROWSER_MEMORY" in str(hungry)
        assert isinstance(other, bytes)
        assert _size(other)[0] == 300


# The browser


async def test_a_browser_that_was_killed_is_started_anew(
    server: HostileServer, renderer_of: Callable[..., Renderer]
) -> None:
    before = {process.pid for process in _left_over()}
    target = RenderTarget(RenderKind.PICTURE, f"{server.url}/picture")
    async with renderer_of(time_limit=PATIENCE) as renderer:
        await renderer.render(target)
        _kill_browsers(before)
        assert _size(await renderer.render(target))[0] == 60


async def test_a_browser_that_is_killed_under_a_page_is_started_anew(
    server: HostileServer, renderer_of: Callable[..., Renderer]
) -> None:
    before = {process.pid for process in _left_over()}
    async with renderer_of(time_limit=WAITS) as renderer:
        await renderer.render(RenderTarget(RenderKind.PICTURE, f"{server.url}/picture"))
        server.hits.clear()
        task = asyncio.create_task(
            renderer.render(RenderTarget(RenderKind.PAGE, f"{server.url}/page/never-loads"))
        )
        while not server.hits["/trickle"]:  # which its document asks for
            await asyncio.sleep(0.02)
        _kill_browsers(before)
        assert _size(await task)[0] == 300


async def test_one_browser_serves_all_pictures(
    server: HostileServer, renderer_of: Callable[..., Renderer]
) -> None:
    async with renderer_of(time_limit=PATIENCE) as renderer:
        await renderer.render(RenderTarget(RenderKind.PICTURE, f"{server.url}/picture"))
        first = {process.pid for process in _left_over()}
        for _ in range(3):
            await renderer.render(RenderTarget(RenderKind.PICTURE, f"{server.url}/picture"))
        # Renderer processes come and go; the others stay.
        assert len(first & {process.pid for process in _left_over()}) >= 3


async def test_a_browser_leaves_no_folder_behind(
    server: HostileServer, renderer_of: Callable[..., Renderer], monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("TMPDIR", folder)
        async with renderer_of(time_limit=PATIENCE) as renderer:
            await renderer.render(RenderTarget(RenderKind.PAGE, f"{server.url}/page/plain"))
            assert list(Path(folder).glob("playwright*"))
        assert list(Path(folder).glob("playwright*")) == []


@pytest.mark.parametrize("page", ["loop", "plain"])
@pytest.mark.parametrize("delay", [0.05, 1.0])
async def test_a_cancelled_picture_leaves_nothing_running(
    server: HostileServer, renderer_of: Callable[..., Renderer], page: str, delay: float
) -> None:
    before = {process.pid for process in _left_over()}

    async def draw() -> None:
        async with renderer_of(time_limit=PATIENCE) as renderer:
            await renderer.render(RenderTarget(RenderKind.PAGE, f"{server.url}/page/{page}"))
            await asyncio.sleep(60)

    task = asyncio.create_task(draw())
    await asyncio.sleep(delay)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _wait_for_nothing(before) == []


async def test_an_error_leaves_nothing_running(
    server: HostileServer, renderer_of: Callable[..., Renderer]
) -> None:
    before = {process.pid for process in _left_over()}
    with pytest.raises(UnusableContentError):
        async with renderer_of() as renderer:
            await renderer.render(RenderTarget(RenderKind.PREVIEW, f"{server.url}/script/loop"))
    assert await _wait_for_nothing(before) == []


async def test_a_missing_browser_is_one_line_that_says_what_to_do(
    renderer_of: Callable[..., Renderer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    async with renderer_of() as renderer:
        with pytest.raises(ConfigurationError, match="playwright install chromium") as caught:
            await renderer.render(RenderTarget(RenderKind.PAGE, "http://10.0.0.1/x"))
    assert "ADSPARK_BROWSER" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (None, "ADSPARK_BROWSER: there is no program"),
        ("exit 3", "does not start as a browser"),
        ("echo 'No usable sandbox! Update your kernel' >&2; exit 1", "BROWSER_SANDBOX=false"),
    ],
)
async def test_an_unusable_browser_is_one_line_that_says_what_to_do(
    renderer_of: Callable[..., Renderer], tmp_path: Path, script: str | None, message: str
) -> None:
    program = tmp_path / "browser"
    if script is not None:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    async with renderer_of(program=program) as renderer:
        with pytest.raises(ConfigurationError, match=message) as caught:
            await renderer.render(RenderTarget(RenderKind.PAGE, "http://10.0.0.1/x"))
    assert "\n" not in str(caught.value)
