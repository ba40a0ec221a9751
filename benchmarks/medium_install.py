# SPDX-License-Identifier: Apache-2.0
"""Installing a node: the installer, and debootstrap with the same packages from a local mirror.

On a disk both run in a node of the lab, whose kernel has what a disk needs, and where starting a
program is dear: debootstrap starts many. So the greatest part of the work, filling a folder with
the system, is compared on this machine's own kernel too.
"""

from __future__ import annotations

import functools
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import debootstrap
from benchmarks.rows import Row, Say
from benchmarks.timing import Sample, measure, side_by_side
from install import build
from pextra_image import lock
from pextra_image.settings import ROOT

FOLDER = "the system into a folder, this machine's kernel"
DISK = "installation on a disk, in a node of the lab"
GOAL = 4
"""So many times as fast as debootstrap the installation on a disk must be."""
NEEDED = "usr-is-merged"
"""Debian's debootstrap wants it; the medium has `usrmerge`, which apt takes in its place."""
LAB, NODE, TARGET = "bench", "node1", "/dev/ubdb"
# The medium is the fourth disk, as in the scenario install.
TOPOLOGY = {"nodes": {NODE: {"memory": "1GiB", "disks": ["16GiB", "1GiB", "1GiB", "4GiB"]}}}
MEDIUM = "/run/live/medium"
IMAGE = f"{MEDIUM}/live/filesystem.squashfs"
ANSWERS = {
    "version": 1,
    "agreement": "accepted",
    "hostname": "node1.example.com",
    "organization": "Example",
    "administrator": {"password": "correct horse battery staple"},
    "disk": {"match": [{"path": TARGET}]},
    "when_done": "stay",
    "ignore_checks": ["cores", "memory"],
}


def rows(folder: Path, say: Say) -> Iterator[Row]:
    """Into a folder, then on a disk."""
    image, mirror = _image(folder), _mirror(folder)
    unpack = ["unsquashfs", "-quiet", "-no-progress", "-dest"]
    install = [sys.executable, "-m", "benchmarks.debootstrap"]

    def fill(argv: list[str], *rest: Path) -> Sample:
        target = folder / "target"
        argv = ["unshare", "--mount", *argv, str(target), *map(str, rest)]
        sample = measure(argv, {**os.environ, "PYTHONPATH": str(ROOT)}, folder / "fill.log")
        shutil.rmtree(target)
        return sample

    ours, theirs = functools.partial(fill, unpack, image), functools.partial(fill, install, mirror)
    yield from _compared(FOLDER, {"unsquashfs": ours, "debootstrap, apt": theirs}, say)
    with _node(folder, image, mirror, say) as run:
        answers = shlex.quote(json.dumps(ANSWERS))
        run(f"printf %s {answers} >/run/answers.yaml")
        ours = functools.partial(
            run, f"pextra-installer install --yes --answers /run/answers.yaml --image {IMAGE}"
        )
        theirs = functools.partial(
            run, f"python3 {MEDIUM}/debootstrap.py /run/target {MEDIUM}/mirror {TARGET}"
        )
        sides = {"pextra-installer": ours, "debootstrap, apt": theirs}
        yield from _compared(DISK, sides, say, goal=GOAL)


def _compared(
    what: str, sides: Mapping[str, Callable[[], Sample]], say: Say, goal: float = 0
) -> Iterator[Row]:
    """Two sides, ours first; once, as they are far apart."""
    ours, theirs = side_by_side(1, sides, say).values()
    times = theirs.wall / ours.wall
    note, passed = f"{times:.1f} times as fast", None
    if goal:
        passed = times >= goal
        note += f"; at least {goal}: {'yes' if passed else '**no**'}"
    for name, figure in zip(sides, (ours, theirs), strict=True):
        yield Row(what, name, figure, note if figure is ours else "", passed)


def _image(folder: Path) -> Path:
    """The system that is on the newest medium."""
    image = folder / Path(IMAGE).name
    iso = (ROOT / "dist/pextra-ce.iso").resolve(strict=True)
    argv = ["xorriso", "-osirrox", "on", "-indev", str(iso), "-extract"]
    for path in (image, _checksum(image)):
        subprocess.run([*argv, f"/live/{path.name}", str(path)], check=True, capture_output=True)
    return image


def _checksum(image: Path) -> Path:
    return image.with_name(f"{image.name}.sha256")


def _mirror(folder: Path) -> Path:
    """A Debian mirror in a folder, with the packages that are on that medium."""
    root = folder / "mirror"
    index, pool = root / "dists/bookworm/main/binary-amd64", root / "pool"
    index.mkdir(parents=True)
    pool.mkdir()
    for package in lock.read(ROOT / "image/lock/amd64.json").packages:
        shutil.copy(ROOT / ".cache/image/pool" / package.file_name, pool)
    for deb in ROOT.glob("dist/apt/pool/*/*.deb"):
        shutil.copy(deb, pool)
    argv = ["apt-get", "--quiet", "--option=APT::Sandbox::User=root", "download", NEEDED]
    subprocess.run(argv, cwd=pool, check=True, capture_output=True)
    about = {"Codename": "bookworm", "Components": "main", "Architectures": "amd64"}
    options = [f"--option=APT::FTPArchive::Release::{name}={is_}" for name, is_ in about.items()]
    for words, path in (
        (["packages", "pool"], index / "Packages"),
        ([*options, "release", "dists/bookworm"], root / "dists/bookworm/Release"),
    ):
        argv = ["apt-ftparchive", *words]
        path.write_bytes(subprocess.run(argv, cwd=root, check=True, capture_output=True).stdout)
    return root


@contextmanager
def _node(folder: Path, image: Path, mirror: Path, say: Say) -> Iterator[Callable[[str], Sample]]:
    """A node of the lab with a medium; gives what measures a command on it."""
    topology = folder / "lab.yml"
    topology.write_text(json.dumps(TOPOLOGY))
    lab = [str(ROOT / "scripts/lab"), "--name", LAB]

    def run(line: str) -> Sample:
        sample = measure([*lab, "ssh", NODE, line], os.environ, folder / "node.log")
        return Sample(sample.wall, 0)  # the node is no child of what is measured

    say("a node of the lab, and a medium for it")
    subprocess.run([*lab, "down"], check=True)
    subprocess.run([*lab, "up", "--topology", str(topology)], check=True)
    try:
        build.write(LAB, NODE, "ubde", {
            "live/filesystem.squashfs": image,
            "live/filesystem.squashfs.sha256": _checksum(image),
            "mirror": mirror,
            "debootstrap.py": Path(debootstrap.__file__),
        }, tools=("debootstrap",))  # fmt: skip
        found = subprocess.run([*lab, "inventory"], check=True, capture_output=True, text=True)
        argv = [str(ROOT / ".venv/bin/ansible-playbook"), "--inventory", found.stdout.strip()]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
        playbook = str(ROOT / "molecule/install/converge.yml")
        measure([*argv, playbook], environment, folder / "converge.log")
        yield run
    finally:
        subprocess.run([*lab, "down"], check=True)
