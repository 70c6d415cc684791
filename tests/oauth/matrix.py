"""Which test shows which requirement of which specification: `@pytest.mark.compliance(spec=…, section=…, requirement=…)`.

Printed at the end of runs with `-v`, or where CRM_COMPLIANCE=1. A failed test makes its requirement BROKEN.
"""

from __future__ import annotations

import os
from collections import defaultdict

import pytest

_KEY = pytest.StashKey[dict[str, list[tuple[str, str, str]]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_KEY] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        found = [(mark.kwargs["spec"], mark.kwargs["section"], mark.kwargs["requirement"]) for mark in item.iter_markers("compliance")]
        if found:
            config.stash[_KEY][item.nodeid] = found


def _order(section: str) -> list[str]:
    return [part.zfill(4) for part in section.split(".")]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not config.stash[_KEY] or (config.option.verbose < 1 and os.environ.get("CRM_COMPLIANCE") != "1"):
        return
    outcome = {report.nodeid: kind for kind in ("passed", "failed", "error", "skipped") for report in terminalreporter.stats.get(kind, ())}
    rows: defaultdict[str, defaultdict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for nodeid, marks in config.stash[_KEY].items():
        for spec, section, requirement in marks:
            rows[spec][section, requirement].append(outcome.get(nodeid, "not run"))
    terminalreporter.section("specifications")
    for spec in sorted(rows):
        terminalreporter.write_line(spec)
        for (section, requirement), outcomes in sorted(
            rows[spec].items(), key=lambda row: [part.zfill(4) for part in row[0][0].split(".")]
        ):
            state = "ok" if set(outcomes) == {"passed"} else "BROKEN" if {"failed", "error"} & set(outcomes) else "not shown"
            terminalreporter.write_line(f"  {state:9} {section:10} {requirement} ({len(outcomes)})")
