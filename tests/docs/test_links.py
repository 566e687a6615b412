"""Links between pages lead somewhere, pictures are there and small, and each page can be reached from the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.console import FENCE, ROOT, markdown

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
LARGEST_PICTURE = 200_000


def links(page: Path) -> list[str]:
    text = FENCE.sub("", page.read_text("utf-8"))
    return [
        target for target in LINK.findall(text) if "://" not in target and not target.startswith("mailto:")
    ]


def headings(page: Path) -> set[str]:
    """The anchors of a page, made as forges make them."""
    found = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def target_of(page: Path, link: str) -> Path:
    return (page.parent / link.partition("#")[0]).resolve() if link[0] != "#" else page


@pytest.mark.parametrize("page", markdown(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        target = target_of(page, link)
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        anchor = link.partition("#")[2]
        if anchor and target.suffix == ".md":
            assert anchor in headings(target), link


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs" / "images").iterdir())
    assert pictures
    assert {p.name: p.stat().st_size for p in pictures if p.stat().st_size > LARGEST_PICTURE} == {}


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    left = [ROOT / "README.md"]
    while left:
        page = left.pop()
        seen.add(page)
        left += [t for link in links(page) if (t := target_of(page, link)).suffix == ".md" and t not in seen]
    assert {str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md") if p not in seen} == set()


def test_every_page_of_the_readme_is_in_both_languages() -> None:
    assert set(links(ROOT / "README.md")) >= {"README.zh-CN.md"}
    assert set(links(ROOT / "README.zh-CN.md")) >= {"README.md"}
