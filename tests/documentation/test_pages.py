"""Every page: links lead somewhere, decisions are listed, and nothing tells of the machine that it was written on."""

import re

import manual
import pytest

LINK = re.compile(r"\]\(([^)\s]+)\)")
MACHINE = re.compile(r"/(?:tmp|home|root|work|Users)/")


def each_page():
    return pytest.mark.parametrize("page", manual.pages(), ids=lambda page: str(page.relative_to(manual.ROOT)))


def broken(page):
    """Return the links of a page that lead nowhere in the project."""
    for link in LINK.findall(page.read_text()):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in manual.anchors(target.read_text())):
            yield link


@each_page()
def test_every_link_leads_somewhere(page):
    assert [] == list(broken(page))


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A title\n[a](#a-title) [b](#b-title) [c](nothing.md) [d](page.md#a-title)\n")

    assert ["#b-title", "nothing.md"] == list(broken(page))


@each_page()
def test_no_page_names_a_place_on_somebody_s_machine(page):
    assert [] == MACHINE.findall(page.read_text())


def test_every_decision_is_listed_in_order_and_has_its_parts():
    folder = manual.ROOT / "docs/adr"
    files = sorted(path.name for path in folder.glob("[0-9]*.md"))
    parts = ["**Status:**", "## Context", "## Decision", "## Consequences", "## What was tried"]

    assert files == re.findall(r"\]\((\d{4}-[^)]+)\)", (folder / "README.md").read_text())
    assert [f"{number:04}" for number in range(1, len(files) + 1)] == [name[:4] for name in files]
    assert [] == [(name, part) for name in files for part in parts if part not in (folder / name).read_text()]
