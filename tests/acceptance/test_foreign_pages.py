"""A page of another site that is open in the same browser gets nothing from a running stack."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support import asking
from tests.support.stack import Stack

EVIL = "evil.example"
REFUSED = "refused"

# What a page can read of an address: the answer's text, or that it may not.
READ = """async ([url, options]) => {
    try { return await (await fetch(url, options)).text() } catch { return 'refused' }
}"""
# Sends without being allowed to read: no preflight is asked for.
SEND = """async ([url, body]) => {
    const options = {method: 'POST', mode: 'no-cors', headers: {'content-type': 'text/plain'}, body}
    try { await fetch(url, options) } catch { }
}"""
OPEN_SOCKET = """url => new Promise(resolve => {
    const socket = new WebSocket(url, ['prefect'])
    socket.onopen = () => resolve('opened')
    socket.onerror = () => resolve('refused')
})"""
LOAD_PICTURE = """url => new Promise(resolve => {
    const picture = new Image()
    picture.onload = () => resolve('shown')
    picture.onerror = () => resolve('refused')
    picture.src = url
})"""


class _EvilPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>Free coupons</title>")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def browser(chromium: str | None) -> Iterator[Browser]:
    """A browser whose DNS gives this machine's address for the attacker's name."""
    arguments = ["--no-sandbox", f"--host-resolver-rules=MAP {EVIL} 127.0.0.1"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def evil_address() -> Iterator[str]:
    """Where the attacker's own page is."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _EvilPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{EVIL}:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def evil_page(browser: Browser, evil_address: str) -> Iterator[Page]:
    """The attacker's page, open."""
    page = browser.new_page()
    page.goto(evil_address)
    assert page.title() == "Free coupons"
    yield page
    page.close()


def addresses(stack: Stack) -> dict[str, str]:
    """One address of each server, without host: what it serves to its own user."""
    return {
        "API": f":{stack.prefect_port}/api/block_documents/filter",
        "API's version": f":{stack.prefect_port}/api/admin/version",
        "UI": f":{stack.prefect_port}/ui-settings",
        "metrics": f":{stack.metrics_port}/metrics",
        "sandbox": f":{stack.sandbox_port}/sandbox/stats",
    }


def options_for(name: str) -> dict[str, object]:
    return (
        {"method": "POST", "headers": {"content-type": "application/json"}, "body": "{}"}
        if name == "API"
        else {}
    )


def test_every_server_answers_its_own_user(stack: Stack) -> None:
    for name, address in addresses(stack).items():
        for host in ("127.0.0.1", "localhost"):
            method = "POST" if name == "API" else "GET"
            answer = httpx.request(method, f"http://{host}{address}", json={}, timeout=30)
            assert answer.status_code == 200, (name, host)


def test_a_foreign_page_reads_nothing_across_origins(stack: Stack, evil_page: Page) -> None:
    for name, address in addresses(stack).items():
        for host in ("127.0.0.1", "localhost"):
            read = evil_page.evaluate(READ, [f"http://{host}{address}", options_for(name)])
            assert read == REFUSED, name


def test_a_foreign_page_starts_no_run_by_a_request_without_preflight(
    stack: Stack, evil_page: Page
) -> None:
    named = asking.get(f"{stack.api_url}/deployments/name/send-digest/send-digest").json()
    url = f"{stack.api_url}/deployments/{named['id']}/create_flow_run"
    mark = "from a foreign page"
    body = f'{{"name": "{mark}", "job_variables": {{"command": "touch /tmp/owned"}}}}'
    evil_page.evaluate(SEND, [url, body])
    wanted = {"flow_runs": {"name": {"any_": [mark]}}}
    assert asking.post(f"{stack.api_url}/flow_runs/filter", json=wanted).json() == []


def test_a_rebound_name_is_answered_by_no_server(stack: Stack, browser: Browser) -> None:
    page = browser.new_page()
    for name, address in addresses(stack).items():
        port = address.partition("/")[0]
        answer = page.goto(f"http://{EVIL}{port}/")
        assert answer is not None
        assert answer.status == 403, name
        read = page.evaluate(READ, [f"http://{EVIL}{address}", options_for(name)])
        assert "not this server" in read, name
    page.close()


def test_a_foreign_page_opens_no_web_socket(stack: Stack, evil_page: Page) -> None:
    for path in ("/api/events/out", "/api/events/in", "/api/logs/out"):
        url = f"ws://127.0.0.1:{stack.prefect_port}{path}"
        assert evil_page.evaluate(OPEN_SOCKET, url) == REFUSED, path


def test_a_foreign_page_embeds_neither_pictures_nor_frames_of_the_ui(
    stack: Stack, evil_page: Page
) -> None:
    picture = f"{stack.ui_url}/ico/apple-touch-icon.png"
    assert evil_page.evaluate(LOAD_PICTURE, picture) == REFUSED
    evil_page.set_content(f'<iframe src="{stack.ui_url}/dashboard"></iframe>')
    evil_page.wait_for_load_state("networkidle")
    framed = next(frame for frame in evil_page.frames if frame != evil_page.main_frame)
    assert "Prefect" not in framed.content()


def test_the_ui_works_under_both_names_of_this_machine(stack: Stack, browser: Browser) -> None:
    page = browser.new_page()
    for host in ("127.0.0.1", "localhost"):
        page.goto(f"http://{host}:{stack.prefect_port}/deployments", timeout=180_000)
        page.get_by_text(re.compile(r"^\d+ Deployments")).wait_for(timeout=180_000)
    page.close()
