"""For all tests: with CRM_REQUIRE_ALL=1 (as in CI) a skipped test is a failed one, since it would hide a missing tool."""

import os
from collections.abc import Generator

import pytest

REQUIRE_ALL = os.environ.get("CRM_REQUIRE_ALL") == "1"


def _why(report: pytest.TestReport | pytest.CollectReport) -> str:
    found = report.longrepr
    return str(found[2]) if isinstance(found, tuple) else str(found)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.longrepr = f"CRM_REQUIRE_ALL allows no skips. {_why(report)}"
        report.outcome = "failed"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if REQUIRE_ALL and report.skipped:
        report.longrepr = f"CRM_REQUIRE_ALL allows no skips. {_why(report)}"
        report.outcome = "failed"
    return report
