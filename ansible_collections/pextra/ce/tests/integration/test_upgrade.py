# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upgrades of this machine as a node, with packages that are installed in a directory of the test.

Services are not restarted here, as those are this machine's own; the scenario ``upgrade`` in
``molecule`` restarts and reboots nodes of its own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import ROOT, Lab, Node, Result
from ansible_collections.pextra.ce.tests.integration.packages import AptRoot, Package, Repository

PARTS = ("pce-daemon", "pce-web")
CARRIED = ROOT / "ansible_collections/pextra/ce/roles/platform/files/python3-pextra.version"
ENGINE = Package("python3-pextra", CARRIED.read_text().strip())
"""What stands for this machine's own engine in a system of a test."""


def release(version: str, *more: str) -> list[Package]:
    """The platform's packages of a version; ``more`` are parts that came later."""
    parts = [*PARTS, *more]
    depends = ", ".join(f"{name} (>= {version})" for name in parts)
    return [
        *(Package(name, version) for name in parts),
        Package("pce-common", version, depends),
    ]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """A repository with the first version."""
    made = Repository(tmp_path_factory.mktemp("repository"))
    made.publish([*release("1.0"), ENGINE])
    yield made
    made.close()


@pytest.fixture
def repository(published: Repository) -> Iterator[Repository]:
    """The repository; what a test adds is gone afterwards."""
    before = set(published.directory.glob("pool/*"))
    yield published
    for path in set(published.directory.glob("pool/*")) - before:
        path.unlink()
    published.publish([])


@pytest.fixture
def system(repository: Repository, tmp_path: Path) -> AptRoot:
    """A system with the first version of the platform."""
    made = AptRoot(tmp_path / "root", repository.source())
    made.install("pce-common", ENGINE.name)
    return made


def versions(system: AptRoot) -> dict[str, str]:
    """The versions of the platform's packages but for the engine, which stays as it is here."""
    return {name: text for name, text in system.versions().items() if name != ENGINE.name}


@pytest.fixture
def licensed(node: Node) -> Node:
    """A node with a valid licence and an instance that runs."""
    node.run("node_license", evaluation=True)
    node.run("instance", **node.guest(node.name("vm"), state="started"))
    # The playbook's engine is the machine's, which has consoles' logs elsewhere than the lab's.
    text = node.virsh("dumpxml", "--inactive", node.name("vm"))
    text = re.sub(r"<log file='[^']*/([^/']*)'", r"<log file='/var/log/pextra-ce/console/\1'", text)
    node.virsh("define", node.file("vm.xml", text.encode()))
    return node


def upgrade(
    node: Node, system: AptRoot, *options: str, **variables: object
) -> subprocess.CompletedProcess[str]:
    """Run the playbook on this machine."""
    values = {"upgrade_database": node.database, "upgrade_restart_services": False, **variables}
    path = node.file("vars.json", json.dumps(values).encode())
    argv = [f"{sysconfig.get_path('scripts')}/ansible-playbook", "-i", "localhost,", "-c", "local"]
    return subprocess.run(
        [*argv, "pextra.ce.upgrade", "-e", f"@{path}", *options],
        env={
            **os.environ, **system.environment, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_HOME": str(Path.home() / ".ansible"), "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
        },
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def changed(done: subprocess.CompletedProcess[str]) -> int:
    """How many tasks of a run that succeeded changed something."""
    assert done.returncode == 0, done.stdout + done.stderr
    (number,) = re.findall(r"changed=(\d+)", done.stdout)
    return int(number)


def test_check_run_and_second_run(licensed: Node, repository: Repository, system: AptRoot) -> None:
    repository.publish(release("1.1", "pce-new"))
    (deb,) = repository.directory.glob("pool/pce-web_1.1_*.deb")
    system.run("dpkg", f"--root={system.directory}", "--unpack", str(deb))
    lists, before = system.lists(), versions(system)
    checked = upgrade(licensed, system, "--check")
    assert changed(checked) == 2
    assert "Would be finished: pce-web" in checked.stdout
    assert re.search(r"pce-common +1\.0 -> 1\.1", checked.stdout)
    assert re.search(r"pce-new +new -> 1\.1", checked.stdout)
    assert (system.lists(), versions(system)) == (lists, before)
    process = pid_of(licensed)
    first = upgrade(licensed, system)
    assert changed(first) == 2
    names = (*PARTS, "pce-common", "pce-new")
    assert versions(system) == dict.fromkeys(names, "1.1")
    assert re.search(r"localhost +3 +none +no +healthy, 1 instances run", first.stdout)
    assert pid_of(licensed) == process
    assert changed(upgrade(licensed, system)) == 0


def pid_of(node: Node) -> str:
    """The process of the instance."""
    return Path(f"/run/libvirt/qemu/{node.name('vm')}.pid").read_text()


def test_a_run_that_fails_says_why_and_the_next_one_goes_on(
    licensed: Node, repository: Repository, system: AptRoot, tmp_path: Path
) -> None:
    mark = tmp_path / "mended"
    script = f"#!/bin/sh\ntest -e {mark}\n"
    broken = Package("pce-web", "1.1", scripts=(("postinst", script),))
    repository.publish([broken, *(item for item in release("1.1") if item.name != "pce-web")])
    failed = upgrade(licensed, system)
    assert failed.returncode != 0
    assert "was not upgraded to the end" in failed.stdout
    assert re.search(r"localhost .* failed", failed.stdout)
    assert "pce-web" not in versions(system)
    mark.touch()
    licensed.virsh("pool-destroy", licensed.pool)
    done = upgrade(licensed, system)
    assert done.returncode != 0
    assert set(versions(system).values()) == {"1.1"}
    assert f'not healthy: storage_pool "{licensed.pool}"' in done.stdout


@pytest.mark.parametrize("why", ["no licence", "no node"])
def test_what_cannot_be_upgraded_is_refused_first(why: str, node: Node, system: AptRoot) -> None:
    if why == "no node":
        node.sql("UPDATE nodes SET host_key = 'another'")
    messages = {
        "no licence": "has no platform licence",
        "no node": "is no node of the platform: the store knows",
    }
    done = upgrade(node, system)
    assert done.returncode != 0
    assert messages[why] in " ".join(done.stdout.split())
    assert "Nothing was changed" in " ".join(done.stdout.split())
    assert re.search(r"changed=0 ", done.stdout)


def test_another_user_than_root_is_refused(node: Node, system: AptRoot) -> None:
    flags = {"ansible_become": True, "ansible_become_user": "nobody"}
    shell = {"ansible_become_method": "ansible.builtin.su", "ansible_become_flags": "-s /bin/sh"}
    done = upgrade(node, system, **flags, **shell, ansible_remote_tmp="/var/tmp/.pextra-ce-test")
    assert done.returncode != 0
    assert "as the Linux user root" in " ".join(done.stdout.split())


def look(lab: Lab, system: AptRoot, **options: bool) -> Result:
    """What the module says of the system."""
    job = lab.job("upgrade_info", {}, environment=system.environment)
    return lab.together([{**job, "args": {"restarts": False, **options}}])[0]


def test_info_by_fresh_lists_leaves_apts_own_alone(
    lab: Lab, repository: Repository, system: AptRoot
) -> None:
    repository.publish(release("1.1"))
    lists = system.lists()
    assert look(lab, system)["packages"] == []
    found = look(lab, system, refresh=True)
    assert [item["name"] for item in found["packages"]] == ["pce-common", *PARTS]
    assert {(item["from"], item["to"]) for item in found["packages"]} == {("1.0", "1.1")}
    assert system.lists() == lists
    system.run("apt-get", "-q", "update")
    assert look(lab, system)["packages"] == found["packages"]


def test_info_names_what_is_kept_back(lab: Lab, repository: Repository, system: AptRoot) -> None:
    repository.publish([Package("pce-web", "1.1", "pce-missing")])
    found = look(lab, system, refresh=True)
    assert (found["packages"], found["kept_back"]) == ([], ["pce-web"])


def test_info_refuses_a_repository_that_is_not_signed(
    lab: Lab, repository: Repository, system: AptRoot
) -> None:
    repository.publish(release("1.1"))
    path = repository.directory / "dists/bookworm/InRelease"
    path.write_text(path.read_text().replace("Origin: Test", "Origin: Tset"))
    refused = look(lab, system, refresh=True)
    assert refused.code == "host"
    assert "BADSIG" in refused.message
