# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud is only taken down where there is nothing in it but what the role site made."""

from __future__ import annotations

import os
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import ROOT, Node
from ansible_collections.pextra.ce.tests.integration.test_playbooks import play, recap

PROGRAM = """#!/bin/sh
export PYTHONPATH={root} PEXTRA_CE_DATABASE='{database}'
exec /usr/bin/python3 -c 'import sys; from pextra.cli import main; sys.exit(main.main())' "$@"
"""


@pytest.fixture
def tasks(node: Node, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What looks before anything is removed; the command pextra is this tree's."""
    program = node.file("pextra", PROGRAM.format(root=ROOT, database=node.database).encode())
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{node.directory}:{os.environ['PATH']}")
    given = {
        "site_organization": "org", "site_datacenter": "dc", "site_cluster": "cluster",
        "site_node": "node1", "site_storage_pool": node.pool, "site_vswitch": node.vswitch,
        "site_port_group": "lan", "site_admin": "pceadmin", "site_demo_instance": node.name("demo"),
        "teardown_found": [{"running": 1}],
    }  # fmt: skip
    role = {"name": "pextra.ce.teardown", "tasks_from": "look"}
    return [{"name": "Look", "ansible.builtin.include_role": role, "vars": given}]


def test_what_somebody_else_has_made_is_named_and_nothing_is_removed(
    node: Node, tasks: list[dict[str, Any]]
) -> None:
    demo = node.name("demo")
    node.run("instance", **node.instance(demo, volumes=[node.volume(f"{demo}-data")]))
    alone = play(node, tasks)
    assert recap(alone)["failed"] == 0, alone.stdout
    node.run("volume", **node.volume("mine"), state="attached", instance=demo)
    node.run("volume_snapshot", name="kept", volume=f"{demo}-data", storage_pool=node.pool)
    node.run("instance", **node.instance(node.name("other")))
    rows = node.rows_of_all()
    refused = play(node, tasks)
    assert recap(refused)["failed"] == 1, refused.stdout
    told = " ".join(refused.stdout.split())
    others = (f"instance {node.name('other')}", "volume mine", "volume_snapshot kept")
    for other in others:
        assert other in told
    assert f"volume {demo}-data" not in told
    assert node.rows_of_all() == rows
