"""Controllers as users have them: Ansible in a virtual environment, the collection in a home."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from lab import paths
from lab.fixtures import Lab

OWN = Path(__file__).parents[1] / "inventory"


class Controller:
    """One controller, in a folder of its own with an inventory; nothing of it is the checkout's."""

    def __init__(self, folder: Path, ansible: str, lab: str) -> None:
        self._folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        (folder / "ansible.cfg").touch()
        inventory = folder / "inventory"
        inventory.mkdir()
        # Read in the order of their names.
        shutil.copy(
            paths.REPOSITORY / "inventories/three-node/hosts.yml", inventory / "cluster.yml"
        )
        shutil.copy(paths.lab(lab) / "inventory.yml", inventory / "lab.yml")
        shutil.copy(OWN / "own.yml", inventory)
        self._install(paths.REPOSITORY / f"requirements/ansible-{ansible}.txt")

    def _install(self, requirements: Path) -> None:
        own = self._folder / "venv"
        subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", own], check=True)
        subprocess.run(
            [sys.executable, "-m", "pip", "--python", own / "bin/python", "install", "--quiet",
             "--no-compile", "--require-hashes", "--only-binary", ":all:", "-r", requirements],
            check=True,
        )  # fmt: skip
        (tarball,) = paths.COLLECTIONS.glob("*.tar.gz")
        self.run("ansible-galaxy", "collection", "install", "--offline", str(tarball))

    def become_by_su(self) -> None:
        """From now on reach node1 as an ordinary user, who becomes root by su."""
        shutil.copy(OWN / "operator.yml", self._folder / "inventory")

    def run(self, program: str, *arguments: str) -> str:
        """What a program of the environment says; it succeeds."""
        done = subprocess.run(
            [str(self._folder / "venv/bin" / program), *arguments],
            cwd=self._folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            env={
                "HOME": str(self.home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8",
                "ANSIBLE_CONFIG": str(self._folder / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_TIMEOUT": "60",
            },
        )  # fmt: skip
        print(done.stdout, done.stderr)
        assert done.returncode == 0, f"{program}: {done.stdout[-4000:]}{done.stderr[-2000:]}"
        return done.stdout

    def play(self, playbook: str, *arguments: str) -> dict[str, int]:
        """Run a playbook of the collection; how many tasks changed something on each node."""
        said = self.run("ansible-playbook", "--inventory", "inventory", f"pextra.ce.{playbook}",
                        "--extra-vars", "target=nodes", *arguments)  # fmt: skip
        lines = re.findall(r"(?m)^(\S+) +: ok=\d+ +changed=(\d+)", said)
        return {node: int(changed) for node, changed in lines}


@pytest.fixture(scope="session")
def controllers(lab: Lab) -> Iterator[dict[str, Future[Controller]]]:
    """Both, the second one being made while the first is used."""
    with tempfile.TemporaryDirectory(prefix="controllers-") as name, ThreadPoolExecutor(1) as maker:
        folders = {ansible: Path(name, ansible) for ansible in ("lowest", "newest")}
        for folder in folders.values():
            folder.mkdir()
        yield {
            ansible: maker.submit(Controller, folder, ansible, lab.name)
            for ansible, folder in folders.items()
        }


@pytest.fixture
def lowest(controllers: dict[str, Future[Controller]]) -> Controller:
    """The oldest Ansible that the collection works with."""
    return controllers["lowest"].result()


@pytest.fixture
def newest(controllers: dict[str, Future[Controller]]) -> Controller:
    """The newest one that Debian 12's Python runs."""
    return controllers["newest"].result()
