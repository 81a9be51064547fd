"""The files of the pages: what is served, how, and that others' are unchanged."""

import gzip
import hashlib
import re
from importlib.resources import files

import pytest

from lightweight.web.dashboard.assets import ROOT, address, asset

VENDOR = files("lightweight.web").joinpath("static", "vendor")


def test_a_file_is_named_by_what_is_in_it() -> None:
    found = asset("dashboard.css", "")
    assert found is not None
    digest = hashlib.sha256(found.body).hexdigest()
    assert address("dashboard.css") == f"{ROOT}dashboard.css?v={digest[:10]}"
    assert "immutable" in found.headers["cache-control"]


@pytest.mark.parametrize("taken", ["gzip", "br, GZIP;q=1"])
def test_a_file_is_compressed_for_who_takes_it(taken: str) -> None:
    plain, small = asset("vendor/htmx.min.js", ""), asset("vendor/htmx.min.js", taken)
    assert plain is not None
    assert small is not None
    assert small.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(small.body) == plain.body
    assert len(small.body) < len(plain.body) / 2


@pytest.mark.parametrize(
    "name", ["", "../app.py", "vendor/../../app.py", "docs.css", "vendor/SHA256SUMS"]
)
def test_nothing_else_is_served(name: str) -> None:
    assert asset(name, "") is None


def test_files_of_others_are_unchanged_and_have_their_licences() -> None:
    sums = VENDOR.joinpath("SHA256SUMS").read_text()
    listed = {
        name: digest for digest, name in (line.split() for line in sums.splitlines())
    }
    there = {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest()
        for each in VENDOR.iterdir()
        if re.search(r"\.(js|css)$", each.name)
    }
    assert listed == there
    about = VENDOR.joinpath("README.md").read_text()
    for name in there:
        assert name in about
    for licence in re.findall(r"[A-Za-z]+\.LICENSE", about):
        assert len(VENDOR.joinpath(licence).read_text()) > 500
