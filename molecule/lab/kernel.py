"""The kernel of user-mode nodes: a newer user-mode Linux than Debian 12 has, where there is one.

Since 6.16 user-mode Linux watches its processes by seccomp in place of ptrace(2), by which starting
a program takes a third of the time, and a node's tests less than half. It is fetched from a later
release of Debian by the machine's own mirror, with the C library that it needs, and both stay in
the lab's cache: nothing of this is installed. Without it, the machine's own 6.1 does the same more
slowly.
"""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from lab import apt, paths
from lab.errors import LabError
from lab.programs import run, succeeds

RELEASE = "forky"
"""The release of Debian that it is taken from."""
_FOLDER = "kernel"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_LOADER = "ld-linux-x86-64.so.2"


@dataclass(frozen=True, slots=True)
class Kernel:
    """User-mode Linux and the folder of its modules, which is named after its release."""

    program: Path
    modules: Path

    @property
    def release(self) -> str:
        """What ``uname -r`` says on a node."""
        return self.modules.name


def present() -> Kernel:
    """The kernel that there is on this machine.

    Raises:
        LabError: There is none.
    """
    fetched = _found(paths.CACHE / _FOLDER)
    return fetched or _own()


def newest() -> Kernel:
    """The same, after fetching the newer one unless it is there; the caller holds the lock."""
    folder = paths.CACHE / _FOLDER
    if _found(folder) is None:
        print(f"lab: fetching user-mode Linux of Debian {RELEASE}", flush=True)
        new = paths.CACHE / f"new-{secrets.token_hex(4)}"
        try:
            _fetch(new)
            new.rename(folder)
        except LabError as error:
            print(f"lab: nodes will be slower, with the kernel of Debian 12: {error}", flush=True)
            shutil.rmtree(new, ignore_errors=True)
    return present()


def _own() -> Kernel:
    found = sorted(Path("/usr/lib/uml/modules").glob("*"))
    if not found:
        raise LabError("user-mode Linux has no modules", "Install the package user-mode-linux.")
    return Kernel(Path("/usr/bin/linux.uml"), found[-1])


def _found(folder: Path) -> Kernel | None:
    modules = sorted((folder / "usr/lib/uml/modules").glob("*"))
    return Kernel(folder / "usr/bin/linux.uml", modules[-1]) if modules else None


def _fetch(folder: Path) -> None:
    """Make a folder with the kernel, its modules and its C library."""
    downloads = folder / "downloads"
    downloads.mkdir(parents=True)
    for package in apt.download(downloads, RELEASE, "user-mode-linux", "libc6"):
        run("dpkg-deb", "--extract", str(package), str(folder))
    shutil.rmtree(downloads)
    program, loader = folder / "usr/bin/linux.uml", folder / _LIBRARIES / _LOADER
    if not succeeds(str(loader), "--library-path", str(loader.parent), str(program), "--version"):
        raise LabError(f"user-mode Linux of Debian {RELEASE} does not start here")
    libraries = paths.CACHE / _FOLDER / _LIBRARIES  # where they will be
    run(
        "patchelf", "--set-interpreter", str(libraries / _LOADER), "--set-rpath", str(libraries),
        str(program),
    )  # fmt: skip
