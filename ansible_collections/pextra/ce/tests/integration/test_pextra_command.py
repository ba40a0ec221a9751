# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command pextra on a node: what it prints, does, and ends with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.pextra.ce.tests.integration import test_drift
from ansible_collections.pextra.ce.tests.integration.lab import Node


@pytest.fixture(scope="module")
def drifting(make_module_lab: Callable[..., Node]) -> Node:
    """A node whose cloud is whole again after each test that passes."""
    made = make_module_lab(Node)
    made.apply(*test_drift.cloud(made))
    return made


def test_the_command_shows_what_it_does_and_says_it_by_its_exit_status(drifting: Node) -> None:
    node = drifting
    test_drift.delete_bridge(node)
    status, out, err = node.command("reconcile", "--check")
    assert (status, node.bridges()) == (0, {})
    assert f"vswitch {node.vswitch}" in out
    status, out, err = node.command("reconcile", "vswitch", node.vswitch, "--diff")
    assert status == 0
    assert node.bridges() == {node.vswitch: 1500}
    assert "bridge" in out
    assert f'vswitch "{node.vswitch}"' in err, "progress goes to standard error"
    status, out, _err = node.command("reconcile", "--json")
    assert json.loads(out)["changed"] is False


def test_the_command_tells_errors_with_code_and_hint(drifting: Node) -> None:
    status, _out, err = drifting.command("reconcile", "vswitch", "svswitch999")
    assert status == 1
    assert err.startswith('pextra: not_found: vswitch "svswitch999": does not exist')
    status, _out, err = drifting.command("reconcile", "organization")
    assert status == 2
    assert "possible" in err.lower() or "choose" in err.lower()
    status, _out, err = drifting.command("frobnicate")
    assert status == 2


def test_the_command_calls_anything_by_its_name(drifting: Node, tmp_path: Path) -> None:
    options = json.dumps({"name": "by-command", "description": "made by hand"})
    status, out, _err = drifting.command("call", "organization", "--options", options, "--check")
    assert (status, json.loads(out)["changed"]) == (0, True)
    file = tmp_path / "options.json"
    file.write_text(options)
    status, out, _err = drifting.command("call", "organization", "--options", str(file))
    assert json.loads(out)["organization"]["name"] == "by-command"
    gone = json.dumps({"name": "by-command", "state": "absent"})
    assert drifting.command("call", "organization", "--options", gone)[0] == 0
