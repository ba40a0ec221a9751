# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests stand on: this machine's own PostgreSQL, libvirt and network.

``lab`` is a one-node cloud with an empty database but for organization, datacenter, cluster and
node; ``node`` has a storage pool, a vSwitch and a port group besides. Both are gone afterwards.
"""

from __future__ import annotations

import itertools
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import (
    BASE,
    Driver,
    Lab,
    Node,
)
from ansible_collections.pextra.ce.tests.integration.postgres import Postgres
from pextra.licensing.keys import generate_pair, public_pem

_L = TypeVar("_L", bound=Lab)
_number = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server of the tests' own."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def driver() -> Iterator[Driver]:
    """What runs modules on a node's Python."""
    process = Driver(sysconfig.get_path("purelib"))
    yield process
    process.stop()


@pytest.fixture(scope="session")
def migrated(postgres: Postgres, driver: Driver) -> str:
    """The name of a database with nothing but the tables, to be used as a template."""
    lab = Lab(driver, postgres.create("template_empty"))
    lab.run("database", state="migrated")
    lab.remove()
    return "template_empty"


@pytest.fixture(scope="session")
def based(postgres: Postgres, driver: Driver, migrated: str) -> str:
    """The name of a database with organization, datacenter, cluster and node, as a template."""
    lab = Lab(driver, postgres.create("template_base", migrated))
    lab.apply(*BASE)
    lab.remove()
    return "template_base"


def _labs(postgres: Postgres, driver: Driver, based: str) -> Iterator[Callable[..., Lab]]:
    made: list[tuple[Lab, str]] = []

    def make(cls: type[_L], template: str = based) -> _L:
        name = f"lab{next(_number)}"
        lab = cls(driver, postgres.create(name, template))
        made.append((lab, name))
        return lab

    try:
        yield make
    finally:
        for lab, name in made:
            lab.remove()
            postgres.drop(name)


make_lab = pytest.fixture(_labs, name="make_lab")
"""Makes labs that are gone after the test: of a class, from a template database."""

make_module_lab = pytest.fixture(_labs, scope="module", name="make_module_lab")
"""Makes labs that are gone after the last test of a file."""


@pytest.fixture
def lab(make_lab: Callable[..., Lab]) -> Lab:
    """A cloud with a node that has nothing yet."""
    return make_lab(Lab)


@pytest.fixture
def node(make_lab: Callable[..., Node]) -> Node:
    """A cloud with a node that has a storage pool, a vSwitch and a port group."""
    made = make_lab(Node)
    made.prepare()
    return made


@pytest.fixture
def seller(lab: Lab) -> bytes:
    """A seller's private key; the public one is trusted on the lab's node."""
    private, public = generate_pair()
    trusted = Path(lab.directories[1], "license-keys.d")
    trusted.mkdir(parents=True)
    (trusted / "seller.pem").write_bytes(public_pem(public))
    return private
