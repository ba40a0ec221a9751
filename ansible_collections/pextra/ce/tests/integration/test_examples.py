# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of every module, run by ansible-playbook as it stands in the documentation.

Only what others on this machine may have is exchanged: names of domains, pools and bridges, and
paths. Images are those of a guest that is up at once, and the store is the lab's.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import json
import os
import re
import shutil
import subprocess
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.pextra.ce.tests.integration import guest
from ansible_collections.pextra.ce.tests.integration.lab import (
    ROOT,
    Args,
    Driver,
    Lab,
    quietly,
)
from ansible_collections.pextra.ce.tests.integration.postgres import Postgres
from pextra.host.network.links import Links
from pextra.licensing.keys import generate_pair, public_pem
from pextra.licensing.token import issue

MODULES = "ansible_collections.pextra.ce.plugins.modules"
BIN = sysconfig.get_path("scripts")
PREFIX = "pextra.ce."
STATE = "/var/lib/pextra-ce", "/var/log/pextra-ce"
"""Where the modules keep seeds and console logs, which other instances of this machine share."""

PLACE: tuple[Args, ...] = (
    {"kind": "organization", "name": "Example"},
    {"kind": "datacenter", "name": "Frankfurt"},
    {"kind": "datacenter", "name": "Berlin"},
    {"kind": "cluster", "name": "main", "datacenter": "Frankfurt"},
    {"kind": "node", "name": "node1", "cluster": "main"},
)
POOLS: tuple[Args, ...] = (
    {"kind": "storage_pool", "name": "local", "nodes": ["node1"]},
    {
        "kind": "storage_pool", "name": "fast", "nodes": ["node1"],
        "options": {"path": "/srv/pextra-ce/fast"},
    },
)  # fmt: skip
NETWORK: tuple[Args, ...] = (
    {"kind": "vswitch", "name": "svswitch10"},
    {"kind": "vswitch", "name": "svswitch11"},
    {"kind": "port_group", "name": "lan", "vswitch": "svswitch10"},
    {"kind": "port_group", "name": "storage", "vswitch": "svswitch10"},
)
INSTANCES: tuple[Args, ...] = (
    {"kind": "instance", "name": "web", "memory": 64},
    {
        "kind": "instance", "name": "web1", "memory": 64,
        "volumes": [{"name": "web1-root", "size": "1MiB"}],
    },
)  # fmt: skip
VOLUME: Args = {"kind": "volume", "name": "data", "size": "4MiB"}
GIVEN: dict[str, tuple[Args, ...]] = {
    "database": (),
    "organization": (),
    "datacenter": PLACE[:1],
    "cluster": PLACE[:2],
    "node": PLACE[:4],
    "user": PLACE[:1],
    "policy": PLACE[:1],
    "role": (
        *PLACE[:1],
        {
            "kind": "policy", "name": "backup operators",
            "statements": [{"effect": "allow", "actions": ["*.backup"], "resources": ["*"]}],
        },
    ),
    "ai_provider": PLACE[:1],
    "storage_pool": PLACE,
    "vswitch": PLACE,
    "port_group": (*PLACE, *NETWORK),
    "volume": (*PLACE, *POOLS, INSTANCES[0]),
    "volume_snapshot": (*PLACE, *POOLS, VOLUME),
    "instance": (*PLACE, *POOLS, *NETWORK),
    "instance_snapshot": (*PLACE, *POOLS, *NETWORK, *INSTANCES),
    "instance_backup": (*PLACE, *POOLS, *NETWORK, *INSTANCES),
    "apply": (),
    "info": (
        *PLACE, *POOLS, *NETWORK, *INSTANCES, VOLUME,
        {"kind": "user", "username": "anna"}, {"kind": "node_license", "evaluation": True},
    ),
}  # fmt: skip
"""What the examples of a module take for granted."""
VARIABLES = {
    "ansible_python_interpreter": "/usr/bin/python3",
    "first_password": "correct horse",
    "operator_key": "ssh-ed25519 AAAA",
    "vaulted_ai_key": "sk-0123456789",
    "vaulted_password": "battery staple",
}


class Examples(Lab):
    """A lab whose names the examples are given."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.switches = {f"svswitch{number}": self.vswitch_name() for number in (10, 11, 99)}
        self.nics = {name: self.nic() for name in ("eth1", "eth2")}
        for name in ("images", "srv/backup", "srv/containers/dns"):
            (self.directory / name).mkdir(parents=True)
        preview = [self.resource(item["kind"], item) for item in PLACE]
        (self.directory / "cloud.yml").write_text(yaml.safe_dump(preview))
        with tarfile.open(self.directory / "images/debian-12.tar.gz", "w:gz") as archive:
            archive.addfile(tarfile.TarInfo("./sbin/init"))
        for name in ("debian-12.qcow2", "rescue.iso", "debian-12-netinst.iso"):
            (self.directory / "images" / name).write_bytes(guest.boot_disk("mail login: "))

    def tasks(self, module: str) -> list[Args]:
        """A module's examples with this lab's names."""
        text: str = importlib.import_module(f"{MODULES}.{module}").EXAMPLES
        return [self.fitted(task) for task in yaml.safe_load(self.moved(text))]

    def moved(self, text: str) -> str:
        """The text with bridges, paths and worker instances of this lab."""
        text = re.sub(r"svswitch\d+", lambda found: self.switches[found.group()], text)
        text = re.sub(r"\beth[12]\b", lambda found: self.nics[found.group()], text)
        text = text.replace("/var/lib/pextra-ce/images", f"{self.directory}/images")
        text = text.replace("/srv/", f"{self.directory}/srv/")
        return text.replace("worker%02d", self.name("worker%02d"))

    def fitted(self, task: Args) -> Args:
        """A task with domains and pools of this lab, and refused where the kernel must refuse."""
        action = next(key for key in task if "." in key)
        if not action.startswith(PREFIX):
            return task
        kind = action.removeprefix(PREFIX)
        options = self.resource(kind, task[action] or {})
        options.pop("database", None)
        task = {**task, action: options}
        links = Links()
        vlan = (options.get("vlan_id") or options.get("trunk")) and not links.vlan_filtering
        vlan = vlan or (options.get("promiscuous") and not links.filters)
        if vlan or (len(options.get("uplinks") or []) > 1 and not links.bonding):
            task |= {"register": "tried", "failed_when": "tried.errors[0].code != 'unsupported'"}
        return task

    def resource(self, kind: str, options: Mapping[str, Any]) -> Args:
        """A resource's options with domains and pools of this lab."""
        found = dict(options)
        if kind == "apply" and isinstance(found["resources"], list):
            found["resources"] = [self.resource(item["kind"], item) for item in found["resources"]]
        if kind == "storage_pool" and found["name"] == "local" and "nodes" in found:
            found["options"] = {"path": f"{self.directory}/local"}
        if kind in ("volume", "volume_snapshot"):
            found.setdefault("storage_pool", "local")
        if "volumes" in found:
            found["volumes"] = [self.resource("volume", item) for item in found["volumes"]]
        own = {"storage_pool", "instance"}
        own |= {"resource"} if kind == "policy_decision_info" else set()
        own |= {"name"} if kind.removesuffix("_info") in {*own, "instance_backup"} else set()
        return {key: self.name(item) if key in own else item for key, item in found.items()}

    def given(self, *resources: Args) -> None:
        """Have these resources, under this lab's names."""
        if resources:
            text = self.moved(json.dumps(resources))
            self.apply(*(self.resource(item["kind"], item) for item in json.loads(text)))

    def play(self, tasks: list[Args]) -> subprocess.CompletedProcess[str]:
        """What ansible-playbook says of these tasks."""
        play = {
            "hosts": "localhost", "connection": "local", "gather_facts": False,
            "vars": VARIABLES, "tasks": tasks,
            "module_defaults": {f"group/{PREFIX}all": {"database": self.database}},
        }  # fmt: skip
        path = self.directory / "play.yml"
        path.write_text(yaml.safe_dump([play]))
        return subprocess.run(
            [f"{BIN}/ansible-playbook", "-i", "localhost,", str(path)],
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "LC_ALL": "C.UTF-8"},
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def remove(self) -> None:
        """Remove also what modules put beside others' files, and containers."""
        try:
            ids = [row["id"] for row in self.sql("SELECT id FROM instances")]
            for path in (
                path for top in STATE for id in ids for path in Path(top).glob(f"*/{id}*")
            ):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            for name in ("dns", "cache"):
                quietly("virsh", "-q", "-c", "lxc:///system", "undefine", self.name(name))
        finally:
            super().remove()


Played = Mapping[str, Future[subprocess.CompletedProcess[str]]]


@pytest.fixture(scope="module")
def played(postgres: Postgres, driver: Driver, migrated: str) -> Iterator[Played]:
    """The examples by module, each in a lab of its own, as many at a time as there are cores."""
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(remove_empty, [top for top in STATE if not Path(top).exists()])
        for made in (Path(STATE[0], "audit"), Path(STATE[0], "keys")):
            if not made.exists():
                cleanup.callback(shutil.rmtree, made, ignore_errors=True)
        labs: dict[str, Examples] = {}
        for name, resources in GIVEN.items():
            database = postgres.create(f"examples_{name}", migrated)
            cleanup.callback(postgres.drop, f"examples_{name}")
            labs[name] = Examples(driver, database)
            cleanup.callback(labs[name].remove)
            labs[name].given(*resources)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            yield {name: pool.submit(lab.play, tasks_of(name, lab)) for name, lab in labs.items()}


def tasks_of(name: str, lab: Examples) -> list[Args]:
    """The examples of a module, or of all that only read, but aptly's: they need a mirror."""
    if name != "info":
        return lab.tasks(name)
    found = (Path(__file__).parents[2] / "plugins/modules").glob("*_info.py")
    names = sorted(path.stem for path in found if path.stem != "aptly_info")
    return [task for name in names for task in lab.tasks(name)]


def remove_empty(directories: Iterable[str]) -> None:
    """Remove directories that are empty, or have only empty ones in them."""
    for top in directories:
        for path in (*Path(top).glob("*"), Path(top)):
            with contextlib.suppress(OSError):
                path.rmdir()


@pytest.mark.parametrize("module", GIVEN)
def test_examples_can_be_run(module: str, played: Played) -> None:
    done = played[module].result()
    assert done.returncode == 0, done.stdout + done.stderr
    reads = module in ("database", "info")
    assert reads == bool(re.search(r"changed=0 ", done.stdout)), done.stdout


def test_examples_of_the_node_license_can_be_run(lab: Lab) -> None:
    """Run without Ansible, because they would use up this machine's evaluation."""
    private, public = generate_pair()
    trusted = lab.directory / "etc/license-keys.d"
    trusted.mkdir(parents=True, mode=0o755)
    (trusted / "seller.pem").write_bytes(public_pem(public))
    now = dt.datetime.now(dt.UTC)
    key = issue(private, "Example", "standard", now, now + dt.timedelta(days=1))
    editions = []
    for task in yaml.safe_load(importlib.import_module(f"{MODULES}.node_license").EXAMPLES):
        options = task[f"{PREFIX}node_license"]
        if "key" in options:
            options["key"] = key
        done = lab.run("node_license", **options)
        assert done.changed
        editions.append(done["node_license"] and done["node_license"]["edition"])
    assert editions == ["evaluation", "standard", None]
