# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CockroachDB's licence, on a stand-in or on a real one.

With the connection string of a real CockroachDB in PEXTRA_CE_TEST_COCKROACHDB, the tests that are
not about the stand-in alone run there; they put its settings back as they were.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Iterator

import pytest
import yaml

from ansible_collections.pextra.ce.plugins.modules import cockroach_license as module
from ansible_collections.pextra.ce.tests.integration.cockroach import VERSION, Cockroach
from ansible_collections.pextra.ce.tests.integration.lab import ROOT, Lab
from ansible_collections.pextra.ce.tests.integration.postgres import PORT, ROLE, Postgres
from pextra.tests.licensing.cockroach_keys import make_key

REAL = os.environ.get("PEXTRA_CE_TEST_COCKROACHDB")
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
DAY = dt.timedelta(days=1)
KEY = make_key("enterprise", NOW + 365 * DAY, "Example GmbH")
OTHER = make_key("free", NOW + 10 * DAY, "EXAMPLE gmbh")


@pytest.fixture
def double(postgres: Postgres, lab: Lab) -> Iterator[Cockroach]:
    """A stand-in in front of the lab's database, which the lab then uses."""
    server = Cockroach((postgres.directory, PORT))
    server.start()
    (name,) = re.findall(r"dbname=(\S+)", lab.database)
    lab.database = server.conninfo(name, ROLE)
    yield server
    server.stop()


@pytest.fixture
def cockroach(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Lab]:
    """A lab whose store is in CockroachDB without a licence."""
    if REAL is None:
        request.getfixturevalue("double")
        yield lab
        return
    lab.database = REAL
    names = ("enterprise.license", "cluster.organization")
    before = {name: setting(lab, name) for name in names}
    for name in names:
        lab.sql(f"RESET CLUSTER SETTING {name}")
    yield lab
    for name in names:
        lab.sql(f"SET CLUSTER SETTING {name} = %s", before[name])


def setting(lab: Lab, name: str) -> str:
    """A cluster setting as the server shows it."""
    (row,) = lab.sql(f"SHOW CLUSTER SETTING {name}")
    return str(row[name])


def test_life_of_a_licence(cockroach: Lab) -> None:
    checked = cockroach.run("cockroach_license", check=True, diff=True, key=KEY)
    assert setting(cockroach, "enterprise.license") == ""
    done = cockroach.run("cockroach_license", diff=True, key=f"{KEY}\n")
    assert done.changed
    assert (done["plan"], done["diff"]) == (checked["plan"], checked["diff"])
    assert done.actions == ["cockroach_license set"] * 2
    assert done["cockroach_license"] == checked["cockroach_license"]
    assert done["cockroach_license"]["type"] == "enterprise"
    assert setting(cockroach, "enterprise.license") == KEY
    assert setting(cockroach, "cluster.organization") == "Example GmbH"
    again = cockroach.run("cockroach_license", key=KEY)
    assert (again.changed, again["plan"]) == (False, [])
    other = cockroach.run("cockroach_license", diff=True, key=OTHER)
    assert [step["name"] for step in other["plan"]] == ["enterprise.license"]
    assert setting(cockroach, "enterprise.license") == OTHER
    for result in (checked, done, again, other):
        assert KEY not in result.text
        assert OTHER not in result.text


def test_what_is_no_valid_key_changes_nothing(cockroach: Lab) -> None:
    cockroach.run("cockroach_license", key=KEY)
    for key, code in (
        ("PCE1.a.b", "license_malformed"),
        (KEY[:-20], "license_malformed"),
        (make_key("enterprise", NOW - DAY), "license_expired"),
    ):
        for check in (True, False):
            refused = cockroach.task("cockroach_license", {"key": key}, check=check)
            assert refused.failed
            assert refused.code == code
            assert key not in refused.text
    assert setting(cockroach, "enterprise.license") == KEY


def test_info_says_how_long_the_licence_is_good_for(cockroach: Lab) -> None:
    cockroach.run("cockroach_license", key=KEY)
    found = cockroach.run("cockroach_license_info")
    assert (found["warning"], found["throttled_from"], found["days_left"]) == (None, None, None)
    assert found["cockroach_license"]["days_left"] == 365
    assert found["cockroach_license"]["valid"]
    assert found["organization"] == "Example GmbH"
    cockroach.run("cockroach_license", key=OTHER)
    found = cockroach.run("cockroach_license_info")
    assert found["days_left"] == 40
    assert found["warning"] in str(found["warnings"])
    assert "expires at" in found["warning"]
    assert KEY not in found.text
    assert OTHER not in found.text


def test_info_warns_without_a_licence(cockroach: Lab) -> None:
    found = cockroach.run("cockroach_license_info")
    assert found["cockroach_license"] is None
    assert found["version"].startswith("CockroachDB")
    assert "has no licence" in found["warning"]
    assert found["days_left"] is None or 0 <= found["days_left"] <= 7


def test_seven_days_count_from_when_the_cluster_was_made(double: Cockroach, lab: Lab) -> None:
    tables_only = lab.run("cockroach_license_info")
    assert (tables_only["days_left"], tables_only["throttled_from_exact"]) == (7, False)
    lab.sql("CREATE SCHEMA system")
    lab.sql("CREATE TABLE system.migrations (completed_at TIMESTAMPTZ)")
    born = NOW - 4 * DAY - dt.timedelta(hours=1)
    lab.sql("INSERT INTO system.migrations VALUES (%s), (now())", born.isoformat())
    exact = lab.run("cockroach_license_info")
    assert (exact["days_left"], exact["throttled_from_exact"]) == (3, True)
    assert "in 3 days" in exact["warning"]
    lab.sql(f"REVOKE ALL ON system.migrations FROM {ROLE}")
    assert lab.run("cockroach_license_info")["throttled_from_exact"] is False
    assert exact["version"] == VERSION


def test_the_key_travels_apart_from_the_statement(double: Cockroach, lab: Lab) -> None:
    lab.run("cockroach_license", key=KEY)
    assert ("SET CLUSTER SETTING enterprise.license = $1", KEY) in double.sent
    assert all(KEY not in statement for statement, _parameter in double.sent)


def test_the_audit_log_has_the_change_without_the_key(double: Cockroach, lab: Lab) -> None:
    lab.run("cockroach_license", key=KEY)
    rows = lab.sql("SELECT * FROM audit_log WHERE kind = 'cockroach_license' ORDER BY name")
    assert [row["name"] for row in rows] == ["cluster.organization", "enterprise.license"]
    assert rows[1]["after"]["type"] == "enterprise"
    assert KEY not in json.dumps(lab.sql("SELECT * FROM audit_log"), default=str)


def test_a_licence_can_be_set_before_there_are_tables(
    double: Cockroach, postgres: Postgres, lab: Lab
) -> None:
    postgres.create("bare")
    try:
        database = double.conninfo("bare", ROLE)
        assert lab.run("cockroach_license", key=KEY, database=database).changed
        assert not lab.run("cockroach_license", key=KEY, database=database).changed
    finally:
        postgres.drop("bare")


def test_a_role_without_the_right_is_told_what_it_lacks(double: Cockroach, lab: Lab) -> None:
    double.privileged = False
    refused = lab.task("cockroach_license", {"key": KEY})
    assert refused.code == "store"
    assert "MODIFYCLUSTERSETTING" in refused.values["errors"][0]["hint"]
    assert KEY not in refused.text


def test_a_setting_that_is_hidden_is_no_other_key(double: Cockroach, lab: Lab) -> None:
    double.settings["enterprise.license"] = "<redacted>"
    refused = lab.task("cockroach_license", {"key": KEY})
    assert refused.code == "store"
    assert double.settings["enterprise.license"] == "<redacted>"


def test_postgresql_has_no_such_licence(lab: Lab) -> None:
    assert lab.refused("cockroach_license", key=KEY).code == "conflict"
    found = lab.run("cockroach_license_info")
    assert (found["version"], found["warning"]) == (None, None)


def test_examples_can_be_run(cockroach: Lab) -> None:
    (example,) = yaml.safe_load(module.EXAMPLES)
    assert example["pextra.ce.cockroach_license"]["key"] == "{{ cockroach_key }}"
    options = {**example["pextra.ce.cockroach_license"], "key": KEY, "database": cockroach.database}
    assert cockroach.run("cockroach_license", **options).changed


def test_the_playbook_sets_it_once_and_shows_no_key(cockroach: Lab) -> None:
    variables = {"cockroach_license_key": KEY, "cockroach_license_database": cockroach.database}
    path = cockroach.file("vault.yml", json.dumps(variables).encode())
    argv = [f"{sysconfig.get_path('scripts')}/ansible-playbook", "-i", "localhost,", "-c", "local"]
    runs = [
        subprocess.run(
            [*argv, "pextra.ce.cockroach_license", "-e", f"@{path}", "--diff", "-vvv"],
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "LC_ALL": "C.UTF-8"},
            cwd=ROOT, capture_output=True, text=True, check=False,
        )
        for _index in range(2)
    ]  # fmt: skip
    for done, changed in zip(runs, (1, 0), strict=True):
        assert done.returncode == 0, done.stdout
        assert f"changed={changed} " in done.stdout
        assert KEY not in done.stdout + done.stderr
        assert "Example GmbH" in done.stdout
    assert setting(cockroach, "enterprise.license") == KEY
