"""The pages in a real browser; skipped where there is no Chromium."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Page, sync_playwright

from conftest import NOW
from hookline.app import App
from hookline.service import make_service

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium here; .ci/run installs one")


@pytest.fixture
def address(shown: App) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(make_service(shown), port=port, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    """A page that fails the test on any error in its console."""
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        made = browser.new_page(base_url=address)
        made.on("pageerror", lambda error: faults.append(str(error)))
        made.on("console", lambda note: faults.append(note.text) if note.type == "error" else None)
        yield made
        browser.close()
    assert faults == []


def test_from_overview_to_the_reason_for_one_decision(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Hero <b>").click()
    assert page.locator("figure svg").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="explain").first.click()
    assert "propensity" in page.locator("main").inner_text()


def test_a_marketer_approves_copy(page: Page, shown: App) -> None:
    page.goto("/copy")
    page.get_by_role("button", name="Approve").click()
    assert "Nothing here" in page.locator("main").inner_text()
    assert shown.desk.copies(status="draft") == []


def test_a_running_page_keeps_itself_fresh(page: Page, shown: App) -> None:
    page.goto("/experiments/hero")
    before = page.locator("main").inner_text()
    shown.live.move("hero", "paused", at=NOW)
    page.wait_for_function("text => document.querySelector('main').innerText !== text", arg=before)


def test_pages_fit_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    for path in ("/", "/experiments/hero", "/copy"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
