# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role site gives each node the keys of encrypted secrets."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sysconfig
from pathlib import Path

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import ROOT, Node

HOSTS = ("one", "two")
_PYTHON = """\
#!/bin/sh
exec unshare --mount sh -c '
  mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/pextra-ce &&
  mount --bind {directory} /var/lib/pextra-ce && exec /usr/bin/python3 "$@"
' sh "$@"
"""
"""A host's Python: it sees a directory of the host's own as the platform's."""


@pytest.fixture
def hosts(node: Node) -> dict[str, Path]:
    """Where hosts, which are all this machine, have their keys."""
    found = {}
    for name in HOSTS:
        directory = node.directory / name
        directory.mkdir()
        python = node.file(f"python-{name}", _PYTHON.format(directory=directory).encode())
        python.chmod(0o755)
        found[name] = directory / "keys"
    (node.directory / "bin").mkdir()
    pextra = node.file("bin/pextra", f'#!/bin/sh\necho "$@" >>{node.directory}/called\n'.encode())
    pextra.chmod(0o755)
    return found


def gave_keys(node: Node, *more: str) -> str:
    """What the controller prints when the role gives the keys."""
    variables = {
        "ansible_connection": "local",
        "site_hosts": HOSTS,
        "site_keys_dir": "/var/lib/pextra-ce/keys",
    }
    pythons = {
        name: {"ansible_python_interpreter": f"{node.directory}/python-{name}"} for name in HOSTS
    }
    inventory = {"all": {"hosts": pythons, "vars": variables}}
    # Without the role, on which others depend that install packages.
    path = f"{ROOT}/ansible_collections/pextra/ce/roles/site/tasks/keys.yml"
    task = {"name": "Give the keys", "ansible.builtin.include_tasks": {"file": path}}
    play = [{"hosts": "all", "gather_facts": False, "tasks": [task]}]
    inventory_file = node.file("inventory.json", json.dumps(inventory).encode())
    playbook = node.file("keys.json", json.dumps(play).encode())
    program = f"{sysconfig.get_path('scripts')}/ansible-playbook"
    done = subprocess.run(
        [program, "-vvv", "--diff", *more, "-i", str(inventory_file), str(playbook)],
        capture_output=True, text=True, check=False,
        env={"PATH": f"{node.directory}/bin:{os.environ['PATH']}", "LC_ALL": "C.UTF-8",
             "HOME": str(node.directory), "ANSIBLE_COLLECTIONS_PATH": str(ROOT),
             "ANSIBLE_NOCOLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def put(where: Path, version: int) -> Path:
    """A key's file of a version, as the engine makes it."""
    where.mkdir(mode=0o700, exist_ok=True)
    key = where / f"{version}-0000000{version}.key"
    key.write_text(f"key-{version}\n")
    key.chmod(0o600)
    return key


def test_the_role_gives_each_node_the_keys_that_others_have(
    node: Node, hosts: dict[str, Path]
) -> None:
    one, two = hosts.values()
    put(one, 1)
    gave_keys(node, "--check")
    assert not two.exists()
    said = gave_keys(node)
    (key,) = two.iterdir()
    assert (key.name, key.read_text()) == ("1-00000001.key", "key-1\n")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(two.stat().st_mode) == 0o700
    key.write_text("changed\n")
    put(two, 2)
    said += gave_keys(node)
    assert [path.read_text() for path in sorted(one.iterdir())] == ["key-1\n", "key-2\n"]
    assert key.read_text() == "changed\n", "none is overwritten"
    assert re.findall(r"changed=(\d+)", said) == ["0", "2", "1", "0"]
    for text in ("key-1", "key-2", "a2V5LTEK", "a2V5LTIK"):
        assert text not in said, "a key is in what the controller prints"
    assert (node.directory / "called").read_text().splitlines() == 4 * ["secrets note"]
