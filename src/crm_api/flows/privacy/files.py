"""Files of jobs in the data directory: those that show a person are removed, line by line looked at, however large they are."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import IO, Final
from uuid import UUID

from crm_api.core.text import fold
from crm_api.flows.privacy.work import UUIDS

_ID: Final = re.compile(UUIDS.encode(), re.IGNORECASE)
_LINE: Final = 1 << 20


def folders_naming(root: Path, ids: Collection[UUID], texts: Collection[str]) -> Iterator[Path]:
    """The folders of jobs under an organisation's folder with a file that contains one of the ids or texts."""
    wanted, folded = {str(id_).encode() for id_ in ids}, [text.encode() for text in texts]
    if not root.is_dir():
        return
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and any(_names(lines, wanted, folded) for lines in _files(folder)):
            yield folder


def remove(folders: Iterable[Path]) -> int:
    """Removes folders with everything in them; how many."""
    count = 0
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        count += 1
    return count


def _files(folder: Path) -> Iterator[Iterator[bytes]]:
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    with archive.open(name) as member:
                        yield _lines(member)
        else:
            with path.open("rb") as file:
                yield _lines(file)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Lines, the longest in pieces that overlap."""
    tail = b""
    while line := file.readline(_LINE):
        yield tail + line
        tail = b"" if line.endswith(b"\n") else line[-1024:]


def _names(lines: Iterable[bytes], ids: set[bytes], texts: list[bytes]) -> bool:
    for line in lines:
        if any(match.lower() in ids for match in _ID.findall(line)):
            return True
        if texts:
            folded = fold(line.decode("utf-8", "replace")).encode()
            if any(text in folded for text in texts):
                return True
    return False
