# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets at rest: what the store, dumps and backups have of them, and what lost keys do."""

from __future__ import annotations

import itertools
import json
import secrets
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import (
    ROOT,
    Args,
    Lab,
    Node,
    kill_points,
)

CEPHX = "AQBhb2dcAAAAABAAiVRmsGhTVKvo9Ol5fMtMSg=="
MODEL_KEY = "hush-model-3367"
PLANTED = {
    "storage_pool.secrets.password": ("hush-cifs-7431", "hush-chap-9915"),
    "storage_pool.secrets.key": (CEPHX,),
    "instance.cloud_init.user_data": ("hush-user-1188",),
    "instance.cloud_init.vendor_data": ("hush-vendor-2277",),
    "ai_provider.api_key": (MODEL_KEY,),
}
"""A secret for each field of each kind that is encrypted in the store."""
COUNT = 6
USER_DATA = "#cloud-config\npassword: hush-user-1188\n"
VENDOR_DATA = "#cloud-config\nlocale: hush-vendor-2277\n"
OTHER_DATA = "#cloud-config\npassword: another one\n"
_FIELDS = """
from pextra.kinds.registry import KINDS
for name, kind in KINDS.items():
    for path in kind.spec.encrypted:
        print(name, *path, sep=".")
"""


def pools(lab: Lab) -> list[Args]:
    """A pool of each type that has a secret, enabled nowhere."""
    iscsi = {"portal": "192.0.2.1:3260", "target": "iqn.2026-01.com.example:a", "username": "u"}
    of_types = {
        "netfs": {
            "protocol": "cifs", "server": "192.0.2.1", "export": "a", "username": "u",
            "password": "hush-cifs-7431",
        },
        "iscsi": {**iscsi, "password": "hush-chap-9915"},
        "rbd": {"monitors": ["192.0.2.1:6789"], "username": "u", "key": CEPHX},
    }  # fmt: skip
    return [
        {"kind": "storage_pool", "name": lab.name(type), "type": type, "options": given}
        for type, given in of_types.items()
    ]


def machine(node: Node, name: str = "vm", **more: Any) -> Args:
    """Options of an instance with user data and vendor data."""
    cloud_init = {"user_data": USER_DATA, "vendor_data": VENDOR_DATA}
    return {**node.instance(node.name(name)), "cloud_init": cloud_init, **more}


def planted(node: Node) -> list[Args]:
    """One of everything that has a secret."""
    provider = {"kind": "ai_provider", "name": "ai", "type": "openai", "api_key": MODEL_KEY}
    return [*pools(node), provider, {"kind": "instance", **machine(node)}]


def keys(lab: Lab) -> list[Path]:
    """The files of the keys on the node."""
    return sorted(Path(lab.directory, "lib/keys").glob("*"))


def lose(lab: Lab) -> Path:
    """Move the node's keys away; where to."""
    away = lab.directory / f"away-{secrets.token_hex(4)}"
    Path(lab.directory, "lib/keys").rename(away)
    return away


def find(lab: Lab, away: Path) -> None:
    """Bring them back."""
    shutil.rmtree(Path(lab.directory, "lib/keys"), ignore_errors=True)
    away.rename(Path(lab.directory, "lib/keys"))


def command(lab: Lab, *arguments: str, **more: Any) -> Args:
    """What a command for secrets answers."""
    code, out, err = lab.command("secrets", *arguments, "--json", **more)
    assert code == 0, err
    found: Args = json.loads(out)
    return found


def dump(lab: Lab) -> str:
    """The store as PostgreSQL writes it to a file."""
    return subprocess.run(
        ["pg_dump", "--no-password", lab.database], capture_output=True, text=True, check=True
    ).stdout


def found_in(data: str) -> list[str]:
    """The planted secrets in a text."""
    return [text for texts in PLANTED.values() for text in texts if text in data]


def seeds(node: Node) -> dict[str, tuple[str, ...]]:
    """The seeds on the node, and which planted secrets are in each."""
    return {
        path.name: tuple(found_in(path.read_bytes().decode("latin-1")))
        for path in sorted(Path(node.directory, "lib/seeds").glob("*.iso"))
    }


def test_a_secret_of_each_field_is_planted_here() -> None:
    known = subprocess.run(
        ["/usr/bin/python3", "-c", _FIELDS], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    # The option is what is given; the store keeps its secrets in a column of their own.
    assert {name for name in known if not name.startswith("storage_pool.options.")} == set(PLANTED)


def test_no_secret_is_in_the_store_nor_in_a_dump_of_it(node: Node) -> None:
    done = node.apply(*planted(node))
    assert found_in(done.text) == []
    dumped = dump(node)
    assert found_in(dumped) == []
    assert dumped.count("pce-encrypted:") == COUNT
    assert list(seeds(node).values()) == [("hush-user-1188", "hush-vendor-2277")]
    assert not node.apply(*planted(node)).changed


def test_a_changed_secret_is_seen_and_written_and_shown_masked(node: Node) -> None:
    node.apply(*planted(node))
    entry = pools(node)[0]
    entry["options"] = {**entry["options"], "password": "quite another"}
    predicted = node.apply(entry, check=True, diff=True)
    before = dump(node)
    done = node.apply(entry, diff=True)
    assert predicted["plan"] == done["plan"]
    (step,) = done["plan"]
    assert step["after"]["secrets"] == "(another secret)"
    assert "quite another" not in done.text + dump(node)
    assert dump(node) != before
    assert not node.apply(entry).changed


def test_keys_are_files_of_root_alone(node: Node) -> None:
    assert keys(node) == [], "no key before there is a secret"
    node.apply(*pools(node), check=True)
    assert keys(node) == [], "check mode makes none"
    node.apply(*pools(node))
    (key,) = keys(node)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    key.chmod(0o640)
    other = {**pools(node)[2], "name": node.name("more")}
    result = node.apply_refused(other)
    assert result.code == "secret"
    assert "open to others" in result.message
    assert key.read_text().strip() not in result.text


def test_a_backup_has_no_secret_and_brings_them_back(node: Node) -> None:
    node.run("instance", **machine(node))
    path = str(node.directory / "vm.tar")
    node.run("instance_backup", instance=node.name("vm"), path=path)
    with open(path, "rb") as file:
        data = file.read().decode("latin-1")
    assert found_in(data) == []
    assert data.count("pce-encrypted:") == 2
    copy = node.run("instance_backup", path=path, state="restored", name=node.name("copy"))
    assert found_in(copy.text) == []
    assert len(seeds(node)) == 2
    assert all(len(found) == 2 for found in seeds(node).values())
    assert found_in(dump(node)) == []
    away = lose(node)
    refused = node.refused("instance_backup", path=path, state="restored", name=node.name("second"))
    assert refused.code == "secret"
    assert node.name("vm") in refused.message
    find(node, away)


def test_without_keys_all_goes_on_that_needs_no_secret(node: Node) -> None:
    node.apply(*planted(node))
    before = seeds(node)
    away = lose(node)
    node.run("instance", name=node.name("vm"), memory="48MiB", description="still here")
    node.run("volume", **node.volume("more"))
    node.run("storage_pool", name=node.name("netfs"), description="still here")
    assert node.run("storage_pool_info")["storage_pools"]
    assert node.command("reconcile")[0] == 0
    assert seeds(node) == before
    told = command(node, "status")
    assert len(told["unreadable"]) == COUNT
    assert not told["keys"][0]["here"]
    result = node.refused("instance", name=node.name("vm"), cloud_init={"meta_data": {"a": 1}})
    assert result.code == "secret"
    assert node.name("vm") in result.message
    assert "user_data" in result.message
    assert "pextra.ce.site" in result.message
    find(node, away)
    assert node.run("instance", name=node.name("vm"), cloud_init={"meta_data": {"a": 1}}).changed


def test_where_keys_are_lost_for_good_secrets_are_set_again(node: Node) -> None:
    node.apply(*planted(node))
    lose(node)
    refused = node.apply_refused(*planted(node))
    assert refused.code == "secret"
    code, _out, err = node.command("secrets", "rotate")
    assert code == 1
    assert "pextra: secret:" in err
    assert node.name("vm") in err
    assert "--give-up" in err
    answer = command(node, "rotate", "--give-up")
    assert len(answer["unreadable"]) == COUNT
    done = node.apply(*planted(node))
    assert done.changed
    told = command(node, "status")
    assert told["unreadable"] == []
    assert [key["secrets"] for key in told["keys"]] == [0, COUNT]
    assert not node.apply(*planted(node)).changed


def test_a_secret_that_was_copied_to_another_row_does_not_open(node: Node) -> None:
    node.apply(*planted(node), {"kind": "instance", **machine(node, "thief", cloud_init={
        "user_data": OTHER_DATA})})  # fmt: skip
    node.sql(
        "UPDATE instances SET (cloud_init, seed) = (SELECT v.cloud_init, v.seed FROM instances v"
        " WHERE v.name = %s) WHERE name = %s",
        node.name("vm"), node.name("thief"),
    )  # fmt: skip
    result = node.task("instance", {"name": node.name("thief"), "memory": "48MiB"})
    assert result.failed
    assert result.code == "secret"
    assert node.name("thief") in result.message
    assert "copied" in result.message
    assert found_in(result.text) == []
    assert not node.run("instance", **machine(node)).changed


def test_a_pool_whose_password_cannot_be_read_is_told_before_anything_is_made(
    node: Node,
) -> None:
    node.apply(*pools(node))
    wanted = {"name": node.name("netfs"), "nodes": ["node1"]}
    away = lose(node)
    lost = node.refused("storage_pool", **wanted)
    assert lost.code == "secret"
    assert node.name("netfs") in lost.message
    assert "secrets.password" in lost.message
    find(node, away)
    node.sql(
        "UPDATE storage_pools SET secrets = (SELECT secrets FROM storage_pools WHERE name = %s)"
        " WHERE name = %s",
        node.name("iscsi"),
        node.name("netfs"),
    )
    moved = node.refused("storage_pool", **wanted)
    assert moved.code == "secret"
    assert "does not open" in moved.message
    assert found_in(moved.text) == []


def test_a_key_of_another_cluster_or_a_damaged_one_is_told(node: Node) -> None:
    node.apply(*planted(node))
    (key,) = keys(node)
    text = key.read_text()
    key.write_text(f"{secrets.token_hex(32)}\n")
    change = {"name": node.name("vm"), "cloud_init": {"meta_data": {"a": 1}}}
    damaged = node.refused("instance", **change)
    assert (damaged.code, "damaged" in damaged.message) == ("secret", True)
    key.rename(key.with_name("1-00000000.key"))
    assert "no key" in node.refused("instance", **change).message
    key.write_text(text)
    key.chmod(0o600)
    assert node.run("instance", **change).changed


def test_rotation_changes_every_secret_in_the_store_and_nothing_on_the_host(node: Node) -> None:
    node.apply(*planted(node))
    before, there = dump(node), seeds(node)
    code, out, err = node.command("secrets", "rotate")
    assert code == 0, err
    assert f"{COUNT} secrets" in out
    assert "encrypt instances" in err, "progress"
    assert len(keys(node)) == 2
    told = command(node, "status")
    assert [(key["state"], key["secrets"]) for key in told["keys"]] == [
        ("old", 0),
        ("current", COUNT),
    ]
    new = dump(node)
    assert f"pce-encrypted:{told['current']}" in new
    assert f"pce-encrypted:{told['keys'][0]['id']}" not in new
    assert seeds(node) == there
    keys(node)[0].unlink()
    assert not node.apply(*planted(node)).changed
    assert before != new
    assert found_in(new) == []


def test_a_rotation_that_is_killed_anywhere_goes_on(node: Node) -> None:
    node.apply(*planted(node))
    points = node.points("secrets", "rotate")
    assert len(points) > 15
    killed, tried = 0, list(itertools.takewhile(lambda at: at <= len(points), kill_points()))
    for at in tried:
        code, _out, _err = node.command("secrets", "rotate", die_at=at)
        killed += code == -9
        assert not node.apply(*planted(node)).changed, f"killed at {at}: {points[at - 1]}"
        code, _out, err = node.command("secrets", "rotate")
        assert code == 0, err
        told = command(node, "status")
        assert (told["unreadable"], told["plain"]) == ([], 0)
        by_state = {key["state"]: key["secrets"] for key in told["keys"]}
        assert by_state == {"old": 0, "current": COUNT}, f"killed at {at}"
        assert all(key["here"] for key in told["keys"])
        assert told["unknown_here"] == []
    assert killed == len(tried)
    assert found_in(dump(node)) == []


@pytest.fixture
def second(node: Node) -> Args:
    """Another node of the cluster, on this machine, with keys of its own: more of a job."""
    path = str(node.file("machine-id", f"{secrets.token_hex(16)}\n".encode()))
    places = [f"{node.directory}/second/{name}" for name in ("lib", "etc", "log")]
    more = {"machine_id": path, "directories": places}
    result = node.task("node", {"name": "node2"}, **more)
    assert not result.failed, result.message
    return more


def test_a_node_without_the_key_says_what_to_do_and_makes_none(node: Node, second: Args) -> None:
    node.apply(*pools(node))
    other = {**pools(node)[2], "name": node.name("more")}
    result = node.task("apply", {"resources": [other]}, **second)
    assert result.failed
    assert result.code == "secret"
    assert "pextra.ce.site" in result.message
    theirs = Path(second["directories"][0], "keys")
    assert not theirs.exists()
    shutil.copytree(keys(node)[0].parent, theirs)
    assert not node.task("apply", {"resources": [other]}, **second).failed
    assert len(list(theirs.iterdir())) == 1


def test_two_nodes_that_make_the_first_key_at_once_have_one(node: Node, second: Args) -> None:
    one, _two, three = pools(node)
    results = node.together(
        [
            node.job("apply", {"resources": [one]}),
            node.job("apply", {"resources": [three]}, **second),
        ]
    )
    failed = [result for result in results if result.failed]
    assert [result.code for result in failed] in ([], ["secret"])
    assert len(node.sql("SELECT id FROM secret_keys WHERE version = 1")) == 1
    assert found_in(dump(node)) == []


def test_a_rotation_waits_until_every_node_has_the_key(node: Node, second: Args) -> None:
    node.apply(*planted(node))
    theirs = Path(second["directories"][0], "keys")
    answer = command(node, "rotate")
    assert answer["waiting_for"] == ["node2"]
    assert command(node, "status")["keys"][0]["secrets"] == COUNT
    assert command(node, "rotate")["waiting_for"] == ["node2"]
    assert len(keys(node)) == 2
    shutil.copytree(keys(node)[0].parent, theirs)
    assert len(command(node, "note", **second)["keys"]) == 2
    assert command(node, "note", **second)["keys"] == []
    done = command(node, "rotate")
    assert (done["waiting_for"], done["secrets"]) == ([], COUNT)
    assert command(node, "status", **second)["unreadable"] == []


def test_hashes_of_passwords_are_no_secrets_that_need_a_key(node: Node) -> None:
    node.apply({"kind": "user", "username": "ann", "password": "correct horse battery"})
    assert keys(node) == []
    assert command(node, "status")["current"] is None
