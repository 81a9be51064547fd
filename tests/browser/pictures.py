"""Take the pictures of the dashboard in docs/images/dashboard.

    .venv/bin/pip install --group browser
    .venv/bin/python tests/browser/pictures.py [NAME …]

Every screen from the sample views of tests/support/pages.py, in light, dark and the
width of a phone; Debian's Chromium draws them.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from msgspec.structs import replace
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.browser import CHROMIUM, FLAGS  # noqa: E402 -- found by the lines above
from support.pages import SCREENS  # noqa: E402

from lightweight.records import Answer  # noqa: E402
from lightweight.web.dashboard.assets import ROOT as STATIC  # noqa: E402
from lightweight.web.dashboard.assets import asset  # noqa: E402
from lightweight.web.dashboard.render import page_answer  # noqa: E402

PICTURES = ROOT / "docs" / "images" / "dashboard"
HERE = {
    "first-run": "overview",
    "request": "requests",
    "guide": "integrations",
    "account": "accounts",
    "kept": "requests",
}
"""The place in the navigation of a screen that has none of its own."""

LOOKS = {"light": (1280, 800), "dark": (1280, 800), "phone": (390, 844)}


class Screens(BaseHTTPRequestHandler):
    """Serves ``/NAME`` and the files of the pages."""

    def do_GET(self) -> None:
        """Answer with a screen."""
        path = self.path.partition("?")[0]
        answer: Answer | None
        if path.startswith(STATIC):
            answer = asset(path.removeprefix(STATIC), "")
        elif path[1:] in SCREENS:
            template, frame, view = SCREENS[path[1:]]
            here = HERE.get(path[1:], path[1:])
            answer = page_answer(template, replace(frame, here=here), view)
        else:
            answer = None
        self.send_response(404 if answer is None else answer.status)
        for name, value in (answer.headers if answer else {}).items():
            self.send_header(name, value)
        self.end_headers()
        if answer is not None:
            self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[str]:
    """Serve the screens and give their URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Screens)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def take(tab: Page, root: str, name: str, look: str) -> None:
    """Take one picture."""
    tab.goto(f"{root}/{name}", wait_until="networkidle")
    tab.screenshot(path=PICTURES / f"{name}-{look}.png", full_page=look == "phone")


def main() -> None:
    """Take the pictures that were asked for, or all."""
    names = sys.argv[1:] or list(SCREENS)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with serving() as root, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for look, (width, height) in LOOKS.items():
            tab = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if look == "dark" else "light",
            )
            for name in names:
                take(tab, root, name, look)
        browser.close()


if __name__ == "__main__":
    main()
