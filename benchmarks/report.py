"""From measurements to ratios, and to the tables that are printed."""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks.scenarios import Versus

Runs = list[dict[str, Any]]


def compared(scenario: Versus, floor_name: str, contacts: int, ours: Runs, floor: Runs) -> dict[str, Any]:
    """One row: the medians of both sides, and the median of the ratios of neighbouring measurements.

    `ratio` is the share of the floor's answers per second; `cpu_ratio` the floor's processor time per answer in the API's
    process by ours, which other work on the machine disturbs less.
    """

    def both(key: str) -> dict[str, float]:
        return {"ours": median(run[key] for run in ours), "floor": median(run[key] for run in floor)}

    pairs = list(zip(ours, floor, strict=True))
    return {
        "scenario": scenario.name,
        "title": scenario.title,
        "floor": floor_name,
        "contacts": contacts,
        "per_second": both("per_second"),
        "cpu_us": both("cpu_us"),
        "database_cpu_us": both("database_cpu_us"),
        "p95_ms": both("p95_ms"),
        "bytes": both("bytes"),
        "ratio": median(mine["per_second"] / theirs["per_second"] for mine, theirs in pairs),
        "cpu_ratio": median(theirs["cpu_us"] / mine["cpu_us"] for mine, theirs in pairs if mine["cpu_us"]) if ours[0]["cpu_us"] else None,
        "goal": scenario.goals[floor_name],
        "rounds": {"ours": [run["per_second"] for run in ours], "floor": [run["per_second"] for run in floor]},
    }


def met(row: dict[str, Any]) -> bool:
    """Whether the ratio reaches the goal."""
    return bool(row["ratio"] >= row["goal"])


def line(row: dict[str, Any]) -> str:
    """A row for the terminal."""
    name = row["title"] + (f" ({row['floor']})" if row["floor"] else "")
    cpu = "" if row["cpu_ratio"] is None else f" {row['cpu_us']['ours']:7.0f} {row['cpu_us']['floor']:7.0f} {row['cpu_ratio']:6.2f}"
    database = f" {row['database_cpu_us']['ours']:7.0f} {row['database_cpu_us']['floor']:7.0f}"
    return (
        f"{name:34} {row['contacts']:>9,} {row['per_second']['ours']:8.0f} {row['per_second']['floor']:8.0f} {row['ratio']:6.2f} "
        f"{row['goal']:5.2f} {'pass' if met(row) else 'MISS'}{cpu}{database}"
    )


def growth_line(row: dict[str, Any]) -> str:
    """A row for the terminal."""
    goal = "      " if row["goal"] is None else f"{row['goal']:5.2f} {'pass' if row['ratio'] <= row['goal'] else 'MISS'}"
    return f"{row['scenario']:34} {row['small_p95_ms']:9.2f} {row['large_p95_ms']:9.2f} {row['ratio']:6.2f} {goal}"


def tables(results: dict[str, Any]) -> tuple[str, int]:
    """Both tables, and how many goals are missed."""
    lines = []
    missed = sum(not met(row) for row in results["versus"]) + sum(
        row["goal"] is not None and row["ratio"] > row["goal"] for row in results["growth"]
    )
    if results["versus"]:
        lines += [
            f"{'':34} {'':>9} {'answers per second':^17}               | µs of API process | µs of database",
            f"{'':34} {'contacts':>9} {'API':>8} {'floor':>8} {'ratio':>6} {'goal':>5}      {'API':>7} {'floor':>7} {'ratio':>6} "
            f"{'API':>7} {'floor':>7}",
            *(line(row) for row in results["versus"]),
        ]
    if results["growth"]:
        lines += ["", f"{'p95 in ms, one request at a time':34} {'small':>9} {'large':>9} {'ratio':>6} {'goal':>5}"]
        lines += [growth_line(row) for row in results["growth"]]
    lines.append(f"\n{'every goal is met' if not missed else f'{missed} goals are missed'}")
    return "\n".join(lines), missed
