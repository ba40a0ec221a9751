# SPDX-License-Identifier: Apache-2.0
"""Making an ISO: pextra-image, and live-build with the same packages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Row, Say
from benchmarks.timing import Figure, Sample, measure
from pextra_image import lock
from pextra_image.root import COMPRESSION_LEVEL
from pextra_image.run import Programs
from pextra_image.settings import ROOT
from pextra_image.sources import apt_sources

COLD, CHANGED, SAME = "first build", "build, installer changed", "build, nothing changed"


class PextraImage:
    """A clone of this tree, with a cache of its own that is empty at first."""

    name = "pextra-image"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tree = folder / "tree"
        argv = ["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(self._tree)]
        subprocess.run(argv, check=True)

    def build(self) -> Sample:
        """Make the ISO from whatever is in the cache."""
        return self._run("build")

    def change(self) -> None:
        """Change the installer, as one who works on it does."""
        with (self._tree / "installer/pextra_installer/__init__.py").open("a") as file:
            file.write("CHANGED = True\n")

    def debs(self) -> list[Path]:
        """This tree's own packages, of the last build."""
        self._run("packages")
        return sorted(self.folder.glob("dist/apt/pool/*/*.deb"))

    def made(self) -> str:
        """What came out of it."""
        iso = (self.folder / "dist/pextra-ce.iso").resolve(strict=True)
        there = json.loads(Path(f"{iso}.cdx.json").read_text())["components"]
        return f"{iso.stat().st_size / 1e6:.0f} MB, {len(there)} packages"

    def _run(self, action: str) -> Sample:
        python = ROOT / ".venv-image/bin/python"
        argv = [str(python), "-m", "pextra_image", action]
        argv += ["--cache", str(self.folder / "cache"), "--output", str(self.folder / "dist")]
        environment = {**os.environ, "PYTHONPATH": str(self._tree / "image")}
        return measure(argv, environment, self.folder / f"{action}.log")


class LiveBuild:
    """A folder with live-build's configuration.

    The packages are those that the lock file names, at the versions that the mirror has now, and
    this tree's own. What is not in our medium is switched off: installer, memory test, indices.
    """

    name = "live-build"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = folder.with_suffix(".log")
        folder.mkdir()
        self._own: list[str] = []

    def take(self, debs: list[Path]) -> None:
        """Have these of this tree's packages, and no others."""
        folder = self.folder / "config/packages.chroot"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for deb in debs:
            shutil.copy(deb, folder)
        self._own = [deb.name.partition("_")[0] for deb in debs]

    def build(self) -> Sample:
        """Make the ISO, from what its cache has of an earlier run."""
        self._run("clean")  # what is in the cache stays
        self._configure()
        try:
            return self._run("build")
        finally:
            self.unmount()

    def _configure(self) -> None:
        options = {
            "mode": "debian", "distribution": "bookworm", "architecture": "amd64",
            "archive-areas": "main", "binary-image": "iso-hybrid", "apt-recommends": "false",
            "apt-indices": "false", "apt-source-archives": "false", "backports": "false",
            "bootloaders": "grub-pc grub-efi", "debian-installer": "none", "memtest": "none",
            "firmware-binary": "false", "firmware-chroot": "false", "checksums": "sha256",
            "chroot-squashfs-compression-type": "zstd",
            "chroot-squashfs-compression-level": COMPRESSION_LEVEL,
            "debootstrap-options": "--variant=minbase --include=apt-utils", "loadlin": "false",
            "win32-loader": "false", "zsync": "false", **_mirrors(),
        }  # fmt: skip
        self._run("config", *(f"--{name}={value}" for name, value in options.items()))
        lists = self.folder / "config/package-lists"
        for path in lists.iterdir():  # its own choice of packages for a desktop's live system
            path.unlink()
        names = [one.name for one in lock.read(ROOT / "image/lock/amd64.json").packages]
        (lists / "node.list.chroot").write_text("\n".join([*names, *self._own, ""]))

    def unmount(self) -> None:
        """End what a build that failed has left mounted."""
        chroot = str(self.folder / "chroot")
        points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for point in reversed([one for one in points if one.startswith(f"{chroot}/")]):
            subprocess.run(["umount", point], check=True)

    def made(self) -> str:
        """What came out of it."""
        iso = self.folder / "live-image-amd64.hybrid.iso"
        there = (self.folder / "chroot.packages.live").read_text().splitlines()
        return f"{iso.stat().st_size / 1e6:.0f} MB, {len(there)} packages"

    def _run(self, *words: str) -> Sample:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        argv = ["env", f"--chdir={self.folder}", "lb", *words]
        return measure(argv, environment, self._log)


def _mirrors() -> dict[str, str]:
    """live-build's options for the mirrors of this machine's apt."""
    lines = apt_sources(Programs(), ()).splitlines()
    of = {suite: address for _deb, _options, address, suite, *_rest in map(str.split, lines)}
    made: dict[str, str] = {}
    for name in ("mirror-bootstrap", "mirror-chroot", "mirror-binary"):
        made |= {name: of["bookworm"], f"parent-{name}": of["bookworm"]}
    for name in ("mirror-chroot-security", "mirror-binary-security"):
        security = of["bookworm-security"]
        made |= {name: security, f"parent-{name}": security}
    return made


def rows(folder: Path, say: Say) -> Iterator[Row]:
    """Each build, of either side."""
    ours, theirs = PextraImage(folder), LiveBuild(folder / "live-build")

    def row(what: str, side: PextraImage | LiveBuild) -> Row:
        sample = side.build()
        say(f"{what}, {side.name}: {sample.wall:.0f} s, {side.made()}")
        return Row(what, side.name, Figure((sample,)), side.made())

    yield row(COLD, ours)
    theirs.take(ours.debs())
    yield row(COLD, theirs)
    ours.change()
    yield row(CHANGED, ours)
    theirs.take(ours.debs())
    yield row(CHANGED, theirs)
    yield row(SAME, ours)
