# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Database or libvirt down, refusing, or gone in the middle of a run: a clear error, no harm."""

from __future__ import annotations

import ast
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import (
    ROOT,
    Lab,
    Node,
    Result,
    quietly,
    run,
    succeeded,
)
from ansible_collections.pextra.ce.tests.integration.postgres import Postgres
from ansible_collections.pextra.ce.tests.integration.test_playbooks import play, recap, task


def told(lab: Lab, database: str, **more: object) -> Result:
    """The failure of a task that is told of another database."""
    result = lab.task("organization", {"name": "new", "database": database}, **more)
    assert result.failed
    assert "Traceback" not in result.text
    return result


def test_database_that_is_down_is_said_with_what_to_do(lab: Lab) -> None:
    result = told(lab, "host=/nonexistent dbname=pextra_ce user=pextra_ce")
    assert result.code == "store"
    assert "cannot be reached" in result.message
    assert "Start PostgreSQL" in result.message


def test_database_that_does_not_exist_is_said(lab: Lab, postgres: Postgres) -> None:
    result = told(lab, postgres.conninfo("nowhere"))
    assert result.code == "store"
    assert "nowhere" in result.message
    assert "does not exist" in result.message


def test_database_that_asks_for_a_password_is_said(lab: Lab, postgres: Postgres) -> None:
    name = lab.database.split("dbname=")[1].split()[0]
    result = told(lab, postgres.conninfo(name, "with_password"))
    assert result.code == "store"
    assert "passfile" in result.message


def test_wrong_password_is_said_and_never_shown(lab: Lab, postgres: Postgres) -> None:
    name = lab.database.split("dbname=")[1].split()[0]
    conninfo = postgres.conninfo(name, "with_password")
    for secret in ("hunter2secret", "'hunter two secret'"):
        result = told(lab, f"{conninfo} password={secret}")
        assert "password" in result.message
        assert secret.strip("'") not in result.text


@pytest.mark.parametrize(
    "database",
    [
        "host=localhost dbname=x sslmode=disable",
        "host=localhost dbname=x sslmode=prefer",
        "host=localhost dbname=x sslmode=require",
        "host=/run,localhost dbname=x sslmode=allow",
        "hostaddr=127.0.0.1 dbname=x sslmode=disable",
        "postgresql://user@localhost/x?sslmode=disable",
    ],
)
def test_connection_over_the_network_that_would_not_be_verified_is_refused(
    lab: Lab, database: str
) -> None:
    result = told(lab, database)
    assert result.code == "invalid_input"
    assert "unverified" in result.message


@pytest.mark.parametrize("database", ["nonsense", "host=", "dbname='", "://", "host=/x\x00y"])
def test_connection_string_that_is_none_is_refused(lab: Lab, database: str) -> None:
    assert told(lab, database).code in ("invalid_input", "store")


def test_connection_string_comes_from_the_environment_where_the_option_is_left_out(
    lab: Lab,
) -> None:
    job = lab.job("organization", {"name": "new"}, environment={"PEXTRA_CE_DATABASE": lab.database})
    del job["args"]["database"]
    (result,) = lab.together([job])
    assert result.changed
    assert lab.row("organizations", "new")


def test_read_only_database_is_said_and_nothing_is_changed(node: Node, postgres: Postgres) -> None:
    name = node.database.split("dbname=")[1].split()[0]
    before = node.host()
    postgres.psql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        result = node.task("instance", node.instance(node.name("vm")))
        assert result.failed
        assert result.code == "store"
        assert "read-only" in result.message
        assert node.task("instance", node.instance(node.name("vm")), check=True)["changed"]
        assert not node.task("organization", {"name": "org"}).failed
    finally:
        postgres.psql(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert node.host() == before
    assert node.run("instance", **node.instance(node.name("vm"))).changed


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_database_that_does_not_take_every_letter_is_refused_before_it_has_tables(
    lab: Lab, postgres: Postgres, encoding: str
) -> None:
    name = f"in_{encoding.lower()}"
    options = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
    postgres.psql(f"CREATE DATABASE {name} OWNER pextra_ce TEMPLATE template0 {options}")
    try:
        for check in (True, False):
            asked = {"state": "migrated", "database": postgres.conninfo(name)}
            result = lab.task("database", asked, check=check)
            assert result.failed
            assert f"encoding {encoding}, and UTF8 is needed" in result.message
            assert "TEMPLATE template0" in result.message
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        assert lab.sql(tables, database=postgres.conninfo(name)) == []
    finally:
        postgres.drop(name)


def test_newer_schema_is_refused_and_left_alone(lab: Lab) -> None:
    lab.sql("INSERT INTO schema_migrations (version) VALUES (999)")
    for module, args in (("organization", {"name": "new"}), ("database", {})):
        result = lab.refused(module, **args)
        assert result.code == "store"
        assert "999" in result.message
        assert "Upgrade pextra.ce" in result.message


def test_older_schema_is_refused_with_what_to_do(lab: Lab, postgres: Postgres) -> None:
    database = postgres.create(f"older_{lab.prefix}")
    try:
        assert "pextra.ce.database" in told(lab, database).message
        said = lab.run("database", check=True, database=database)
        assert (said["version_before"], said.changed) == (0, True)
        assert "pextra.ce.database" in told(lab, database).message
        assert lab.run("database", database=database).changed
        assert not lab.run("database", database=database).changed
        assert not lab.task("organization", {"name": "new", "database": database}).failed
    finally:
        postgres.drop(f"older_{lab.prefix}")


def test_role_without_rights_is_said(lab: Lab) -> None:
    user = lab.database.replace("user=pextra_ce", "user=with_password password=right")
    result = told(lab, user)
    assert result.code == "store"
    assert "owner of the tables" in result.message


def test_libvirt_that_does_not_answer_is_said_and_nothing_is_changed(node: Node) -> None:
    rows = node.rows_of_all()
    for module, args in (
        ("instance", node.instance(node.name("vm"))),
        ("storage_pool", {"name": node.pool, "nodes": ["node1"]}),
    ):
        result = node.task(module, args, no_libvirt=True)
        assert result.failed
        assert result.code == "host"
        assert "libvirt does not answer at qemu:///system" in result.message
        assert "Start libvirtd" in result.message
    assert node.rows_of_all() == rows


def test_what_is_in_the_store_alone_needs_no_libvirt(node: Node) -> None:
    assert node.task("organization", {"name": "new"}, no_libvirt=True)["changed"]
    assert node.task("vswitch", {"name": node.vswitch, "mtu": 1400}, no_libvirt=True)["changed"]


@pytest.mark.parametrize("fault", ["lose_database_at", "lose_libvirt_at"])
def test_run_that_loses_its_connection_anywhere_is_finished_by_the_next(
    node: Node, fault: str
) -> None:
    name = node.name("vm")
    entry = {"kind": "instance", **node.instance(name, autostart=True)}
    points = node.task("apply", {"resources": [entry]}, die_at=0).raw["points"]
    node.run("instance", name=name, state="absent", destroy_volumes=True)
    failures = 0
    for at in range(1, len(points) + 1):
        result = node.task("apply", {"resources": [entry]}, **{fault: at})
        assert result.raw["signal"] != signal.SIGALRM
        if result.failed:
            failures += 1
            assert result.code in ("store", "host"), result.message
            assert "Traceback" not in result.text
            assert not node.task("apply", {"resources": [entry]}).failed
        assert not node.apply(entry).changed
        assert node.domains() == [name]
        node.run("instance", name=name, state="absent", destroy_volumes=True)
        assert node.domains() == []
    assert failures


NOBODY = 65534
PIECES: dict[str, dict[str, Any]] = {
    "vswitch": {"name": "svswitch9"},
    "node_files": {},
    "reconcile": {},
}


@pytest.mark.parametrize("module", PIECES)
def test_task_of_another_user_than_root_is_told_what_it_needs(node: Node, module: str) -> None:
    job = node.job(module, PIECES[module], user=NOBODY)
    if module == "node_files":
        del job["args"]["database"]
    (result,) = node.together([{**job, "op": "call"} if module != "vswitch" else job])
    assert result.failed
    assert result["code"] in ("host", "store")
    assert "become: true" in result.message or "Linux user" in result.message
    assert "fault in it" not in result.message


def test_umask_of_a_hardened_machine_keeps_neither_qemu_nor_a_later_run_out(
    make_lab: Callable[..., Node],
) -> None:
    node = make_lab(Node)
    resources = [node.pool_entry(), *node.network_entries()]
    succeeded(node.task("apply", {"resources": resources}, umask=0o077))
    name, pool = node.name("vm"), node.directory / "pool"
    entry = {**node.guest(name), "cloud_init": {"user_data": {}}, "state": "started"}
    pool.chmod(0o700)
    for _turn in range(2):
        result = node.task("instance", entry, umask=0o077)
        assert result.failed
        assert "Permission denied" in result.message
        assert "chmod o+x" in result.message
    pool.chmod(0o711)
    again = succeeded(node.task("instance", entry, umask=0o077))
    assert again.actions == ["instance start"]
    assert node.running() == [name]
    node.run("instance", name=name, state="killed")
    node.run("instance", name=name, state="absent", destroy_volumes=True)
    pool.rmdir()
    succeeded(node.task("apply", {"resources": resources}, umask=0o077))
    assert stat.S_IMODE(pool.stat().st_mode) == 0o711


@pytest.mark.parametrize("wanted", ["qcow2", "raw"])
def test_volume_on_a_full_disk_is_told_to_free_space(node: Node, wanted: str) -> None:
    mount, image = node.mount("small", 8), node.image("full.qcow2", "qcow2", "16M")
    run("qemu-io", "-f", "qcow2", "-c", "write -P 1 0 12M", str(image))
    tight = {**node.pool_entry(), "name": node.name("tight"), "options": {"path": str(mount)}}
    node.apply(tight)
    disk = {**node.volume("big", None, image=str(image), format=wanted)}
    result = node.task("volume", {**disk, "storage_pool": node.name("tight")})
    assert result.failed
    assert "Free space" in result.message
    assert [path.name for path in mount.iterdir() if path.name != "lost+found"] == []


def test_seed_on_a_full_disk_is_told_to_free_space(node: Node) -> None:
    full, seeds = node.mount("full", 2), node.directory / "lib" / "seeds"
    quietly("dd", "if=/dev/zero", f"of={full}/fill", "bs=4k")
    os.truncate(full / "fill", (full / "fill").stat().st_size - (128 << 10))  # for what goes in it
    seeds.mkdir(parents=True)
    node.bind(full, seeds)
    entry = {**node.guest(node.name("vm")), "cloud_init": {"user_data": {}}}
    result = node.task("instance", entry)
    assert result.failed
    assert f"Free space where {seeds}" in result.message
    run("umount", str(seeds))
    assert node.run("instance", **entry).changed


def test_python_that_is_too_old_is_named_with_the_one_that_is_needed(node: Node) -> None:
    """Tasks run with a Python that says it is 3.9, as Debian 11's is."""
    old = node.file(
        "python3.9",
        b"""#!/bin/sh
exec /usr/bin/python3 -c '
import sys
sys.version_info = (3, 9, 2, "final", 0)
sys.argv = sys.argv[1:]
__file__ = sys.argv[0]
exec(compile(open(__file__).read(), __file__, "exec"))
' "$@"
""",
    )
    old.chmod(0o755)
    for module in ("preflight_info", "aptly_info"):
        done = play(node, [task(module)], "-e", f"ansible_python_interpreter={old}")
        assert recap(done)["failed"] == 1, done.stdout
        assert "pextra.ce needs Python 3.11 or newer" in done.stdout
        assert "is 3.9" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr


def test_module_that_is_sent_to_a_python_that_is_too_old_says_so() -> None:
    code = """
import sys
sys.version_info = (3, 9, 2, "final", 0)
from ansible_collections.pextra.ce.plugins.modules import organization
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert "is 3.9" in told["msg"]
    assert told["code"] == "unsupported"
    assert done.stderr == ""


def test_what_says_that_a_python_is_too_old_is_read_by_older_ones() -> None:
    utils = ROOT / "ansible_collections/pextra/ce/plugins/module_utils"
    for path in (utils / "python.py", utils / "bare/__init__.py", utils / "__init__.py"):
        ast.parse(path.read_text(), feature_version=(3, 7))
