"""What holds for all pages: links lead somewhere, commands exist, runnable snippets are run, decisions are listed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from crm_api.cli.app import app
from tests.docs.support import ROOT, blocks

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").glob("*.md"))]
RUN = {"README.md", "docs/adding-a-resource.md", "docs/audit.md", "docs/oauth.md", "docs/your-schema.md"}
"""Pages whose blocks of bash and Python are run by the tests beside this one. Elsewhere, what can't be run is indented or `text`."""


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)


def links(page: Path) -> Iterator[str]:
    yield from re.findall(r"\]\(([^)\s]+)\)", prose(page))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if re.match(r"\w+:", link):
            assert link.startswith("https://"), link
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors(target), f"{link}: {sorted(anchors(target))}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_looks_runnable_is_run(page: Path) -> None:
    runnable = [block for block in blocks(page) if block.language in ("bash", "sh", "shell", "python")]
    assert not runnable or name(page) in RUN


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    commands = set(getattr(get_command(app), "commands", {}))
    code = "\n".join("".join(found) for found in re.findall(r"`([^`\n]+)`|^    (.+)$", page.read_text(), re.M))
    for target in re.findall(r"(?:^|\s)make ([a-z-]+)", code, re.M):
        assert target in targets, f"make {target}"
    for command in re.findall(r"(?:^|\s)crm-api ([a-z-]+)", code, re.M):
        assert command in commands, f"crm-api {command}"


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^\* \[(\d+)\. (.+)\]\((.+)\)$", (folder / "README.md").read_text(), re.M)
    files = sorted(file.name for file in folder.glob("[0-9]*.md"))
    assert [file for _, _, file in listed] == files
    for number, title, file in listed:
        assert file.startswith(f"{int(number):04}-")
        assert (folder / file).read_text().splitlines()[0] == f"# {number}. {title}"
