"""The commands of docs/your-schema.md, run as they stand there."""

from __future__ import annotations

import json
import subprocess

from tests.docs.support import ROOT, blocks


def test_every_command_works(running: dict[str, str]) -> None:
    snippets = [block.text for block in blocks(ROOT / "docs" / "your-schema.md") if block.language == "bash"]
    script = "set -euo pipefail\n" + 'printf "\\n~~~\\n"\n'.join(snippets)
    done = subprocess.run(["bash", "-c", script], env=running, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    made, types, tagged, journal, forms = done.stdout.split("~~~\n")
    assert '"api_name":"tier"' in made.replace(" ", "")
    assert 'tier?: "gold" | "silver" | null;' in types
    assert tagged.strip() == "304"
    first, _, difference = journal.partition("\n")
    assert first == '"type":"schema.updated"'
    assert {"tier", "imo"} <= {change["field"] for change in json.loads(difference)["changes"]}
    schema, end = json.JSONDecoder().raw_decode(forms.strip())
    assert schema["required"] == ["imo"]
    assert json.loads(forms.strip()[end:])["label"] == "Vessel"
