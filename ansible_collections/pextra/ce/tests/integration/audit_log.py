# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How tests look at the audit log of a lab, and at what the check of it finds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.pextra.ce.tests.integration.lab import Args, Lab

OLD = "UPDATE audit_log SET at = at - interval '400 days'"
"""Makes rows old; what comes after it says which."""


def rows(lab: Lab, **given: Any) -> list[Args]:
    """The newest rows, as the module returns them."""
    found: list[Args] = lab.run("audit_info", limit=1000, **given)["audit"]
    return found


def verified(lab: Lab, *arguments: str) -> Args:
    """What the check of the chains says."""
    status, out, err = lab.command("audit", "verify", "--json", *arguments)
    assert out, err
    found: Args = json.loads(out)
    assert status == (0 if found["whole"] else 1)
    return found


def findings(lab: Lab, *arguments: str) -> set[tuple[str, int | None, int | None]]:
    """What was found, and where."""
    found = verified(lab, *arguments)["findings"]
    return {(item["what"], item["first"], item["last"]) for item in found}


def chain(lab: Lab) -> Args:
    """The chain of this machine, as the store keeps it."""
    (found,) = lab.sql("SELECT * FROM audit_chains WHERE sequence > 0")
    return found


def several(lab: Lab, count: int = 5) -> int:
    """Make rows; the number of the last one."""
    for number in range(count):
        lab.run("organization", name=f"several{number}-{lab.name()}")
    return int(chain(lab)["sequence"])


def reseal(lab: Lab) -> None:
    """Seal all rows anew, and forget what was seen: they were so from the beginning."""
    lab.sql("UPDATE audit_log SET sequence = NULL, previous = NULL, hash = NULL")
    lab.sql("DELETE FROM audit_chains")
    Path(lab.directories[0], "audit", "checkpoint.json").unlink()
    assert lab.command("audit", "seal")[0] == 0
