"""The five minutes of the README, run as they stand there against what `make run` starts."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.docs.support import ROOT, blocks


def snippets() -> list[str]:
    return [block.text for block in blocks(ROOT / "README.md") if block.language == "bash"]


def test_every_line_of_the_tour_works(running: dict[str, str]) -> None:
    separator = 'printf "\\n~~~\\n"\n'
    script = "set -euo pipefail\n" + separator.join(snippets())
    done = subprocess.run(["bash", "-c", script], env=running, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    parts = done.stdout.split("~~~\n")
    assert len(parts) == len(snippets())
    decoder = json.JSONDecoder()
    answers = []
    for part in parts:
        found, text = [], part.strip().partition("export interface")[0].strip()  # types follow at the end
        while text:
            value, end = decoder.raw_decode(text)
            found.append(value)
            text = text[end:].strip()
        answers.append(found)
    contact = answers[1][1]
    assert (contact["email"], contact["tags"]) == ("ada@acme.example", ["vip"])
    moved, won, history = answers[2]
    assert (moved["status"], moved["stage"]["name"], won["status"]) == ("open", "Negotiation", "won")
    assert len(history["data"]) == 3
    deals, people, hits = answers[3]
    assert {deal["account"]["industry"].casefold() for deal in deals["data"]} == {"robotics"}
    assert "Acme" in [deal["account"]["name"] for deal in deals["data"]]
    assert "Ada King" in [person["display_name"] for person in people["data"]]
    assert "accounts" in [hit["object"] for hit in hits["data"]]
    assert [result["status"] for result in answers[4][0]["results"]] == [201, 201, 201]
    events = answers[5][-1]["data"]
    assert [(event["type"], event["changes"]["title"]["new"]) for event in events] == [("contact.updated", "Head of Logistics")]
    assert answers[6][0]["win_rate"] is not None
    field, account, contacts, _, machine, with_machines = answers[7]
    assert (field["api_name"], account["custom_fields"]["tier"]) == ("tier", "gold")
    assert "Ada King" in [contact["display_name"] for contact in contacts["data"]]
    assert (machine["serial"], machine["with_tax"]) == ("R2-4711", "14280")
    [acme] = with_machines["data"]
    assert [row["name"] for row in acme["machines"]["data"]] == ["Picker"]
    assert "export interface MachineRead" in parts[7]
    [seen] = answers[8]
    assert [list(record) for record in seen["data"]] == [["object", "id", "display_name"]]
    user, org, log = answers[9]
    assert (user["status"], org["sharing"]["defaults"]) == ("invited", {"contacts": "read"})
    assert len(log["data"]) == 3
    told = next(answer for answer in answers[10] if "changes" in answer)
    assert (told["type"], list(told["changes"])) == ("contact.updated", ["title"])


def test_alembic_finds_the_running_database(running: dict[str, str]) -> None:
    """As docs/adding-a-resource.md relies on."""
    command = [sys.executable, "-m", "alembic", "check"]
    done = subprocess.run(command, cwd=ROOT, env=running, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "No new upgrade operations detected."), done.stdout + done.stderr
