"""What the tests of the documentation share: reading a page, and running what it says in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PARTS = ("src", "tests", "migrations", "docs", "examples", "openapi", "benchmarks", "scripts", "alembic.ini", "pyproject.toml", "README.md")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; `path` is the file that the line before it names."""

    language: str
    text: str
    path: str | None


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for match in re.finditer(r"(?:^`(?P<path>[^`\n]+)`\n\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", page.read_text(), re.M | re.S):
        yield Block(match["language"], match["text"], match["path"])


def patched(text: str, hunks: str) -> str:
    """A file after a unified diff. Like `git apply`, it goes by the lines themselves and not by their numbers."""
    parts = re.split(r"^@@ -\d+,(\d+) \+\d+,(\d+) @@\n", hunks, flags=re.M)[1:]
    for old, new, hunk in zip(*(iter(parts),) * 3, strict=True):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        assert (int(old), int(new)) == (before.count("\n"), after.count("\n")), f"the hunk says another length:\n{hunk}"
        assert text.count(before) == 1, f"this is not there, or not only once:\n{before}"
        text = text.replace(before, after)
    return text


def contained(said: Any, got: Any, at: str = "") -> None:
    """Everything said is there, as it is said."""
    if isinstance(said, dict):
        for key, value in said.items():
            assert key in got, f"{at}/{key}"
            contained(value, got[key], f"{at}/{key}")
    elif isinstance(said, list):
        assert len(said) == len(got), at
        for index, value in enumerate(said):
            contained(value, got[index], f"{at}/{index}")
    else:
        assert said == got, at


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """This environment without what would lead commands elsewhere."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("CRM_", "DATABASE_", "REDIS_", "COV_", "PYTEST_"))}


class Copy:
    """A copy of the project as it is now, in which commands run with the copy's own code."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        for name in PARTS:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
            elif source.exists():
                shutil.copy2(source, folder / name)
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        # The copy's source comes before the installed one; what mypy knows already need not be found out again.
        self.environment = {
            **clean_environment(),
            "PATH": path,
            "PYTHONPATH": str(folder / "src"),
            "MYPY_CACHE_DIR": str(folder / ".mypy_cache"),
            **environment,
        }
        if (ROOT / ".mypy_cache").is_dir():
            shutil.copytree(ROOT / ".mypy_cache", folder / ".mypy_cache", ignore_dangling_symlinks=True)

    def run(self, command: str, seconds: float = 300) -> str:
        """Runs lines of shell, which must succeed; what they print."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        return done.stdout
