"""What browsers load is what was vendored, and nothing that a strict policy forbids."""

import hashlib
import re

import pytest

from app.web.assets import FOLDER, FOR_GOOD, asset
from app.web.pictures import SHEET
from app.web.shell import TEMPLATES

VENDOR = FOLDER / "vendor"
PAGES = TEMPLATES.parent / "pages"


def sums():
    lines = (VENDOR / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def test_every_vendored_file_is_as_it_was_when_it_was_taken():
    kept = sums()
    there = {file.name for file in VENDOR.iterdir()} - {"SHA256SUMS", "README.md"}
    assert there == set(kept)
    for name, digest in kept.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_every_icon_that_pages_name_is_on_the_sheet():
    sheet = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (FOLDER / SHEET).read_text()))
    templates = "\n".join(file.read_text() for file in TEMPLATES.rglob("*.html"))
    named = set(re.findall(r'icon\("([a-z0-9-]+)"', templates))
    named |= set(re.findall(r'marks\.mark\([^,]+, "([a-z0-9-]+)"', templates))
    named |= set(re.findall(r'\("(?:go|stop|wait|na|info)", "([a-z0-9-]+)"\)', templates))
    code = "\n".join(file.read_text() for file in PAGES.glob("*.py"))
    named |= set(re.findall(r'"(?:go|stop|wait|na|info)", "([a-z0-9-]+)"', code))
    named |= set(re.findall(r'_step\("([a-z0-9-]+)"', code))
    assert len(named) > 20
    assert named <= sheet, named - sheet


@pytest.mark.parametrize("file", sorted(TEMPLATES.rglob("*.html")), ids=lambda file: file.name)
def test_no_template_needs_what_the_policy_forbids(file):
    html = file.read_text()
    assert not re.search(r"\sstyle\s*=", html), "an inline style"
    assert not re.search(r"\son[a-z]+\s*=", html), "an inline handler"
    assert not re.search(r"<style|javascript:|hx-on|hx-vals=.js", html), "inline code"
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", html)), "an inline script"


async def test_assets_named_by_content_may_be_kept_and_others_not(lab):
    kept = await lab.http.get(asset("stemma.css"))
    assert kept.status_code == 200
    assert kept.headers["cache-control"] == FOR_GOOD
    plain = await lab.http.get("/static/stemma.css")
    assert plain.headers["cache-control"] == "no-cache"
    outside = await lab.http.get("/static/../shell.py")
    assert outside.status_code == 404
