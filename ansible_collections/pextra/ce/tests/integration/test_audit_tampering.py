# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is done to audit rows is found, also by whoever knows how they are sealed."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.audit_log import (
    findings,
    several,
    verified,
)
from ansible_collections.pextra.ce.tests.integration.lab import Lab
from pextra.store.connection import Store

# What is done to it

TAMPERING: dict[str, tuple[str, tuple[str, int, int]]] = {
    "changed": ("UPDATE audit_log SET actor = 'mallory' WHERE sequence = 3", ("changed", 3, 3)),
    "removed": ("DELETE FROM audit_log WHERE sequence IN (3, 4)", ("removed", 3, 4)),
    "a secret outcome": (
        "UPDATE audit_log SET outcome = 'failed', message = 'x' WHERE sequence = 5",
        ("changed", 5, 5),
    ),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_what_is_done_to_rows_is_found(lab: Lab, what: str) -> None:
    several(lab)
    assert verified(lab)["whole"]
    statement, expected = TAMPERING[what]
    lab.sql(statement)
    assert expected in findings(lab)


def test_rows_that_change_places_are_found(lab: Lab) -> None:
    several(lab)
    lab.sql("UPDATE audit_log SET sequence = 1000 WHERE sequence = 2")
    lab.sql("UPDATE audit_log SET sequence = 2 WHERE sequence = 3")
    lab.sql("UPDATE audit_log SET sequence = 3 WHERE sequence = 1000")
    assert ("moved", 2, 3) in findings(lab)


def test_a_cut_tail_is_found_and_stays_found(lab: Lab) -> None:
    last = several(lab)
    assert lab.command("audit", "seal")[0] == 0
    lab.sql("DELETE FROM audit_log WHERE sequence > 3")
    assert findings(lab) == {("cut", 4, last)}
    # Whoever also knows the record of the chain's end does not know the node's key.
    lab.sql(
        "UPDATE audit_chains SET sequence = 3, checkpoint = NULL,"
        " hash = (SELECT hash FROM audit_log WHERE sequence = 3)"
    )
    assert findings(lab) == {("cut", 4, last)}
    several(lab, 2)
    assert lab.command("audit", "seal")[0] == 0
    assert ("removed", 4, last) in findings(lab)


def test_a_chain_that_was_sealed_again_is_found(lab: Lab) -> None:
    from pextra.access.audit.chain import START, sealed

    last = several(lab)
    assert lab.command("audit", "seal")[0] == 0
    lab.sql("UPDATE audit_log SET actor = 'mallory' WHERE sequence = 2")
    with Store(lab.database) as store:

        def work(tx: Any) -> None:
            from pextra.store import audit

            found = [audit._timed(item["row"]) for item in tx.query(
                "SELECT row_to_json(t) AS row FROM audit_log AS t ORDER BY sequence")]  # fmt: skip
            for seal in sealed(found, START):
                tx.query(
                    "UPDATE audit_log SET previous = %s, hash = %s WHERE id = %s RETURNING id",
                    [seal.previous, seal.hash, seal.id],
                )
            tx.query("UPDATE audit_chains SET hash = %s RETURNING chain", [seal.hash])

        store.transact(work)
    assert ("rewritten", last, last) in findings(lab)
    several(lab, 2)
    assert lab.command("audit", "seal")[0] == 0
    assert ("rewritten", last, last) in findings(lab)


def test_a_checkpoint_from_a_journal_is_enough_where_the_node_is_gone(lab: Lab) -> None:
    last = several(lab)
    assert lab.command("audit", "seal")[0] == 0
    kept = Path(lab.directories[0], "audit", "checkpoint.json")
    seen = lab.directory / "seen.json"
    seen.write_bytes(kept.read_bytes())
    kept.unlink()
    lab.sql("DELETE FROM audit_log WHERE sequence > 3")
    lab.sql(
        "UPDATE audit_chains SET sequence = 3, checkpoint = NULL,"
        " hash = (SELECT hash FROM audit_log WHERE sequence = 3)"
    )
    assert verified(lab)["whole"]
    assert findings(lab, "--checkpoint", str(seen)) == {("cut", 4, last)}
    forged = json.loads(seen.read_text())
    forged["at"] = "2020-01-01T00:00:00.000000Z"
    seen.write_text(json.dumps(forged))
    assert findings(lab, "--checkpoint", str(seen)) == {("forged", None, None)}
    for text in ("[]", "{", "{}"):
        seen.write_text(text)
        assert lab.command("audit", "verify", "--checkpoint", str(seen))[0] == 1


def test_another_node_finds_what_was_done_to_this_nodes_chain(lab: Lab) -> None:
    last = several(lab)
    assert lab.command("audit", "seal")[0] == 0
    other = {
        "machine_id": str(lab.file("machine", b"%032x\n" % 7)),
        "directories": [f"{lab.directory}/other-{name}" for name in ("lib", "etc", "log")],
    }
    assert lab.command("audit", "seal", **other)[0] == 0
    lab.sql("DELETE FROM audit_log WHERE sequence > 2")
    lab.sql(
        "UPDATE audit_chains SET sequence = 2, public_key = repeat('0', 64), checkpoint = NULL,"
        " hash = (SELECT hash FROM audit_log WHERE sequence = 2) WHERE sequence > 0"
    )
    assert lab.command("audit", "seal", **other)[0] == 0
    status, out, _err = lab.command("audit", "verify", "--json", **other)
    assert status == 1
    found = {(item["what"], item["first"], item["last"]) for item in json.loads(out)["findings"]}
    assert found == {("cut", 3, last), ("forged", None, None)}


# Keys and files


def test_the_nodes_key_is_its_own_alone(lab: Lab) -> None:
    several(lab, 1)
    directory = Path(lab.directories[0], "audit")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for name in ("key.pem", "checkpoint.json"):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600
    assert sorted(path.name for path in directory.iterdir()) == [
        "checkpoint.json", "key.pem", "lock",
    ]  # fmt: skip
    key = (directory / "key.pem").read_bytes()
    everything = json.dumps(lab.sql("SELECT * FROM audit_chains"))
    assert key.decode().splitlines()[1] not in everything
    (directory / "key.pem").chmod(0o644)
    status, _out, err = lab.command("audit", "verify")
    assert (status, "not this user's alone" in err) == (1, True)
    (directory / "key.pem").chmod(0o600)
    several(lab, 1)
    assert (directory / "key.pem").read_bytes() == key


def test_a_link_in_place_of_the_key_is_not_followed(lab: Lab, tmp_path: Path) -> None:
    several(lab, 1)
    path = Path(lab.directories[0], "audit", "key.pem")
    path.rename(tmp_path / "key.pem")
    path.symlink_to(tmp_path / "key.pem")
    assert lab.command("audit", "verify")[0] == 1
    assert lab.run("organization", name="goes-on").changed
