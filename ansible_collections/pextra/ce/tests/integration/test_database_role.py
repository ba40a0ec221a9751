# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database at a port of its own is what everything on the node uses."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Lab, quietly, run
from ansible_collections.pextra.ce.tests.integration.test_playbooks import play, recap, task

VERSION = "15"
pytestmark = pytest.mark.skipif(
    not Path(f"/usr/lib/postgresql/{VERSION}").exists(), reason="Debian's PostgreSQL is not there"
)


@pytest.fixture
def place(lab: Lab) -> dict[str, Any]:
    """What makes a cluster of the test's own, all of whose files are the test's."""
    return {
        "database_cluster": f"t{secrets.token_hex(4)}",
        "database_port": 20000 + secrets.randbelow(10000),
        "database_postgresql_version": VERSION,
        "database_record_dir": f"{lab.directory}/site",
        "database_state_dir": f"{lab.directory}/state",
        "database_postgresql_ca_dir": f"{lab.directory}/ca",
        "database_postgresql_certs_dir": f"{lab.directory}/certs",
        "database_conninfo_file": f"{lab.directory}/etc-of-node/database.conninfo",
    }


def role(place: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The task that runs the role."""
    return {
        "name": "Make the database",
        "ansible.builtin.include_role": {"name": "pextra.ce.database"},
        "vars": {**place, **more},
    }


def test_where_a_database_at_another_port_is_stands_where_all_look(
    lab: Lab, place: dict[str, Any]
) -> None:
    kept, cluster = Path(place["database_conninfo_file"]), place["database_cluster"]
    try:
        checked = play(lab, [role(place)], "--check")
        assert recap(checked)["failed"] == 0, checked.stdout
        assert not kept.exists()
        told = {"name": "Tell", "ansible.builtin.debug": {"msg": "<{{ database_conninfo }}>"}}
        done = play(lab, [role(place), told])
        assert recap(done)["failed"] == 0, done.stdout
        where = kept.read_text().strip()
        assert f"<{where}>" in done.stdout
        assert f"port={place['database_port']} " in where
        clusters = json.loads(run("pg_lsclusters", "--json"))
        (mine,) = (item for item in clusters if item["cluster"] == cluster)
        assert int(mine["port"]) == place["database_port"]
        migrated = play(lab, [task("database", database=where, state="migrated")])
        assert recap(migrated)["changed"] == 1, migrated.stdout
        again = play(lab, [role(place)])
        assert recap(again)["changed"] == 0, again.stdout
        gone = play(lab, [role(place, database_state="absent")])
        assert recap(gone)["failed"] == 0, gone.stdout
        assert not kept.exists()
    finally:
        quietly("pg_dropcluster", "--stop", VERSION, cluster)


@pytest.mark.parametrize("more", [{"database_port": 5433}, {"database_cluster": "other"}])
def test_what_is_postgresqls_is_refused_for_cockroachdb(
    lab: Lab, place: dict[str, Any], more: dict[str, Any]
) -> None:
    given = {**place, "database_port": 5499, "database_cluster": "pextra", **more}
    done = play(lab, [role(given, database_engine="cockroachdb")], "--check")
    assert recap(done)["failed"] == 1, done.stdout
    assert "its port is database_cockroachdb_port" in " ".join(done.stdout.split())


def test_where_cockroachdb_is_stands_where_all_look(lab: Lab, place: dict[str, Any]) -> None:
    given = {**place, "database_cockroachdb_port": 26300}
    parts = [
        {
            "name": f"Run {file}",
            "ansible.builtin.include_role": {"name": "pextra.ce.database", "tasks_from": file},
            "vars": given,
        }
        for file in ("conninfo_cockroachdb.yml", "conninfo_file.yml")
    ]
    done = play(lab, parts)
    assert recap(done)["failed"] == 0, done.stdout
    assert "host=localhost port=26300 " in Path(place["database_conninfo_file"]).read_text()


def test_what_was_said_of_another_port_goes_with_it(lab: Lab, place: dict[str, Any]) -> None:
    kept = Path(place["database_conninfo_file"])
    kept.parent.mkdir()
    kept.write_text("host=elsewhere\n")
    done = play(lab, [role({**place, "database_port": 5499})], "--check", "--diff")
    assert "Forget a database elsewhere" in done.stdout
    assert recap(done)["failed"] == 0, done.stdout
