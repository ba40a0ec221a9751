# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controllers to test with, each with the built collection, and a database for their work."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.pextra.ce.tests.controllers.place import Controller
from ansible_collections.pextra.ce.tests.integration.postgres import Postgres

_number = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which virtual environments have an ansible-core to test with."""
    parser.addoption("--controller", action="append", default=[], metavar="VENV", type=Path)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test runs with each of them."""
    if "controller" in metafunc.fixturenames:
        found = metafunc.config.getoption("--controller")
        if not found:
            raise pytest.UsageError("name an ansible-core: --controller=VENV; see the Makefile")
        metafunc.parametrize(
            "controller", found, indirect=True, scope="session", ids=[path.name for path in found]
        )


@pytest.fixture(scope="session")
def engine() -> Path:
    """Where the engine is that the node's Python finds."""
    code = "import pextra; print(pextra.__path__[0])"
    done = subprocess.run(
        ["/usr/bin/python3", "-P", "-c", code], capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.returncode == 0, f"the package python3-pextra is not installed: {done.stderr}"
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def controller(
    request: pytest.FixtureRequest, engine: Path, tmp_path_factory: pytest.TempPathFactory
) -> Controller:
    """An ansible-core with the built collection, installed outside of this tree."""
    programs = request.param.resolve() / "bin"
    made = Controller(programs, tmp_path_factory.mktemp(request.param.name))
    made.install()
    return made


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server of the tests' own."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """A database with nothing in it."""
    name = f"controllers{next(_number)}"
    yield postgres.create(name)
    postgres.drop(name)
