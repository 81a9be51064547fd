"""Debian's Chromium before a real daemon; what a page complains of fails its test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from support.browser import CHROMIUM, FLAGS, join
from support.dashboard import Served, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

    Open: TypeAlias = Callable[..., Page]

# The other suites go without a browser: what drives one is a group of its own.
collect_ignore_glob = [] if find_spec("playwright") else ["test_*.py"]

Complaints: TypeAlias = list[str]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """What the pages' consoles said; a test takes out what it means to cause."""
    found: Complaints = []
    yield found
    assert found == []


@pytest.fixture
def open_page(browser: Browser, complaints: Complaints) -> Iterator[Open]:
    """Open pages, each in a browser context of its own (cookies, theme)."""
    contexts = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def opened(**options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def operator(open_page: Open, served: Served) -> Page:
    """A page of an operator who just joined."""
    page = open_page()
    join(page, served.invite())
    return page
