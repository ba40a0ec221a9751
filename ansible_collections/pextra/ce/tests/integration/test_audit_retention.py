# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Old audit rows go, what is left can be checked, and checkpoints are sent elsewhere."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.pextra.ce.tests.integration.audit_log import (
    OLD,
    chain,
    findings,
    reseal,
    rows,
    several,
    verified,
)
from ansible_collections.pextra.ce.tests.integration.lab import Lab

# Retention


def test_what_was_pruned_is_gone_and_the_rest_is_whole(lab: Lab) -> None:
    last = several(lab)
    name = chain(lab)["chain"]
    assert lab.command("audit", "seal")[0] == 0
    lab.sql(f"{OLD} WHERE sequence <= 3")
    # The rows are as if they had been written then.
    reseal(lab)
    status, out, _err = lab.command("audit", "prune", "--older-than", "365d", "--check")
    assert (status, out) == (0, f"{name}: rows 1 to 3 would be removed\n")
    assert len(rows(lab)) == last
    assert lab.command("audit", "prune", "--older-than", "365d")[0] == 0
    assert findings(lab) == set()
    left = sorted(row["sequence"] for row in rows(lab) if row["sequence"])
    assert left[0] == 4
    (row,) = rows(lab, kind="audit")
    assert (row["action"], row["before"]) == ("prune", {"first": 1, "last": 3})
    several(lab, 2)
    assert lab.command("audit", "seal")[0] == 0
    assert verified(lab)["whole"]
    lab.sql("DELETE FROM audit_log WHERE sequence = 4")
    assert ("removed", 4, 4) in findings(lab)


def test_a_record_of_pruning_that_nobody_signed_is_found(lab: Lab) -> None:
    several(lab)
    lab.sql(f"{OLD} WHERE sequence <= 3")
    reseal(lab)
    assert lab.command("audit", "prune", "--older-than", "365d")[0] == 0
    lab.sql("DELETE FROM audit_log WHERE sequence = 4")
    lab.sql(
        "UPDATE audit_chains SET pruned = pruned || jsonb_build_object('sequence', 4, 'hash',"
        " (SELECT previous FROM audit_log WHERE audit_log.sequence = 5)) WHERE pruned IS NOT NULL"
    )
    assert "forged" in {what for what, _first, _last in findings(lab)}


def test_pruning_killed_anywhere_is_finished_by_the_next(lab: Lab) -> None:
    several(lab)
    lab.sql(f"{OLD} WHERE sequence <= 3")
    reseal(lab)
    arguments = ("audit", "prune", "--older-than", "365d")
    for at in range(1, 60):
        status, _out, _err = lab.command(*arguments, die_at=at)
        assert verified(lab)["whole"], at
        if status == 0:
            break
    assert at > 4
    assert lab.command(*arguments)[0] == 0
    assert min(row["sequence"] for row in rows(lab) if row["sequence"]) > 3


def test_a_chain_that_is_not_whole_is_not_pruned(lab: Lab) -> None:
    several(lab)
    lab.sql(f"{OLD} WHERE sequence <= 3")
    arguments = ("audit", "prune", "--older-than", "365d")
    status, _out, err = lab.command(*arguments)
    assert (status, "not whole" in err) == (1, True)
    assert lab.command(*arguments, "--force")[0] == 0
    assert min(row["sequence"] for row in rows(lab) if row["sequence"]) == 4


def test_a_node_prunes_by_age_where_its_settings_say_so(lab: Lab) -> None:
    several(lab)
    lab.sql(f"{OLD} WHERE sequence <= 3")
    reseal(lab)
    settings = Path(lab.directories[1], "audit.toml")
    settings.parent.mkdir(exist_ok=True)
    settings.write_text("retention_days = 500\n")
    assert lab.command("audit", "seal")[0] == 0
    assert rows(lab)[-1]["sequence"] is not None
    before = len(rows(lab))
    settings.write_text("retention_days = 365\n")
    assert lab.command("audit", "seal")[0] == 0
    assert len(rows(lab)) == before - 3 + 1
    assert verified(lab)["whole"]
    settings.write_text("retention_days = 1\n")
    lab.sql("UPDATE audit_log SET at = at - interval '2 days' WHERE sequence = 4")
    assert lab.command("audit", "seal")[0] == 0
    pruned = Path(lab.directories[0], "audit", "pruned")
    os.utime(pruned, (0, 0))
    for status in (1, 0):  # it is not whole, and looked at once a day
        assert lab.command("audit", "seal")[0] == status
    assert len(rows(lab)) == before - 3 + 1
    for text in ("retention_days = 0", "days = 3", "syslog = 'http://x'", "="):
        settings.write_text(f"{text}\n")
        status, _out, err = lab.command("audit", "seal")
        assert (status, "audit.toml" in err or "syslog" in err) == (1, True), text


# Where checkpoints go


def receive(server: socket.socket) -> Callable[[], str]:
    """What a server gets within some seconds, as text."""
    server.settimeout(20)

    def received() -> str:
        if server.type is socket.SOCK_STREAM:
            connection, _peer = server.accept()
            with connection:
                connection.settimeout(20)
                data = b""
                while chunk := connection.recv(65536):
                    data += chunk
            return data.decode()
        return server.recv(65536).decode()

    return received


@pytest.mark.parametrize("kind", ["udp", "tcp", "unix"])
def test_a_checkpoint_is_sent_to_the_syslog_server(lab: Lab, kind: str) -> None:
    several(lab, 1)
    family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
    with socket.socket(
        family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM
    ) as server:
        if kind == "unix":
            where = str(lab.directory / "log.sock")
            server.bind(where)
        else:
            server.bind(("127.0.0.1", 0))
            where = f"{kind}://127.0.0.1:{server.getsockname()[1]}"
        if kind == "tcp":
            server.listen()
        settings = Path(lab.directories[1], "audit.toml")
        settings.parent.mkdir(exist_ok=True)
        settings.write_text(f'syslog = "{where}"\n')
        received = receive(server)
        lab.task("organization", {"name": "another"}, die_at="committed")
        assert lab.command("audit", "seal")[0] == 0
        text = received()
    size, _space, message = text.partition(" ") if kind == "tcp" else ("", "", text)
    assert message.startswith("<85>1 ")
    assert not size or int(size) == len(message.encode())
    record = json.loads(message[message.index("{") :])
    assert record == json.loads(Path(lab.directories[0], "audit", "checkpoint.json").read_text())
    assert record["heads"][chain(lab)["chain"]]["sequence"] == chain(lab)["sequence"]
    settings.write_text('syslog = "tcp://127.0.0.1:1"\n')
    lab.task("organization", {"name": "third"}, die_at="committed")
    assert lab.command("audit", "seal")[0] == 0


def test_the_timer_says_nothing_where_there_is_no_store(lab: Lab) -> None:
    nowhere = {"PEXTRA_CE_DATABASE": "host=/nonexistent dbname=x"}
    assert lab.command("audit", "seal", "--quiet", environment=nowhere) == (0, "", "")
    assert lab.command("audit", "seal", environment=nowhere)[0] == 1
