"""Which test shows which requirement of which specification: `@pytest.mark.compliance(spec=…, section=…, requirement=…)`.

Printed at the end of runs with `-v`, or where CRM_COMPLIANCE=1 as in `make test`. A failed test makes its requirement BROKEN.
"""

from __future__ import annotations

import os
from collections import defaultdict

import pytest

_PROPERTY = "compliance"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:  # as properties of reports, which reach the process that prints also from workers
        for mark in item.iter_markers("compliance"):
            item.user_properties.append((_PROPERTY, [mark.kwargs["spec"], mark.kwargs["section"], mark.kwargs["requirement"]]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.option.verbose < 1 and os.environ.get("CRM_COMPLIANCE") != "1":
        return
    rows: defaultdict[str, defaultdict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for kind in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(kind, ()):
            for name, value in getattr(report, "user_properties", ()):
                if name == _PROPERTY:
                    spec, section, requirement = value
                    rows[spec][section, requirement].append(kind)
    if not rows:
        return
    terminalreporter.section("specifications")
    for spec in sorted(rows):
        terminalreporter.write_line(spec)
        for (section, requirement), outcomes in sorted(rows[spec].items(), key=lambda row: _order(row[0][0])):
            state = "ok" if set(outcomes) == {"passed"} else "BROKEN" if {"failed", "error"} & set(outcomes) else "not shown"
            terminalreporter.write_line(f"  {state:9} {section:10} {requirement} ({len(outcomes)})")


def _order(section: str) -> list[str]:
    return [part.zfill(4) for part in section.split(".")]
