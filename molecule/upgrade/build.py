"""Build the repositories ``old`` and ``new`` that the nodes of this scenario are upgraded with.

``old`` has version 1.0 of the platform's packages. ``new`` has 1.1; Debian's own packages of
libvirt and QEMU under a higher version, so that their maintainer scripts run; and needrestart.

Usage: build.py DIRECTORY, where ``status`` is dpkg's status file of a node.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from ansible_collections.pextra.ce.tests.integration.guest import boot_disk
from ansible_collections.pextra.ce.tests.integration.packages import (
    ARCHITECTURE,
    Package,
    Repository,
    run,
)

BUMP = "+pce1"
UNIT = """[Unit]
Description=A service of the platform
[Service]
ExecStart=/usr/lib/pce-daemon/pce-daemon infinity
[Install]
WantedBy=multi-user.target
"""
ENABLE = """#!/bin/sh
set -e
systemctl daemon-reload
systemctl enable --now pce-daemon.service
"""
BREAK = """#!/bin/sh
if [ -e /etc/pce-web-is-broken ]; then echo "pce-web cannot be configured" >&2; exit 1; fi
"""


def main() -> None:
    """Build all that the directory is to have."""
    directory = Path(sys.argv[1])
    shutil.rmtree(directory / "repositories", ignore_errors=True)
    repository = Repository(directory / "repositories/build")
    try:
        first: list[Package | Path] = [
            _daemon(directory, "1.0"),
            Package("pce-web", "1.0"),
            _common("1.0"),
        ]
        repository.publish(first)
        _keep(repository, directory, "old")
        broken = Package("pce-web", "1.1", scripts=(("postinst", BREAK),))
        repository.publish([_daemon(directory, "1.1"), broken, _common("1.1")])
        repository.publish([_bumped(directory, *item) for item in _bumpable(directory / "status")])
        repository.publish(_needrestart(directory))
        _keep(repository, directory, "new")
    finally:
        repository.close()
    with tarfile.open(directory / "repositories.tar", "w") as archive:
        for name in ("old", "new"):
            archive.add(directory / "repositories" / name, arcname=name)
        archive.add(repository.keyring, arcname="key.asc")
    (directory / "guest.img").write_bytes(boot_disk())


def _common(version: str) -> Package:
    return Package("pce-common", version, f"pce-daemon (>= {version}), pce-web (>= {version})")


def _daemon(directory: Path, version: str) -> Path:
    """A package with a program that runs as a service, and that does not restart it itself."""
    package = Package("pce-daemon", version, scripts=(("postinst", ENABLE),))
    tree = package.tree(directory / "repositories")
    (tree / "usr/lib/pce-daemon").mkdir(parents=True)
    (tree / "lib/systemd/system").mkdir(parents=True)
    shutil.copy("/bin/sleep", tree / "usr/lib/pce-daemon/pce-daemon")
    (tree / "lib/systemd/system/pce-daemon.service").write_text(UNIT)
    return package.pack(tree)


def _keep(repository: Repository, directory: Path, name: str) -> None:
    """Keep the repository as it is now under a name."""
    target = directory / "repositories" / name
    for part in ("dists", "pool"):
        shutil.copytree(repository.directory / part, target / part)


def _bumpable(status: Path) -> list[tuple[str, str]]:
    """Name and version of the node's packages of libvirt, and of QEMU with what it needs."""
    found = []
    for stanza in status.read_text().split("\n\n"):
        fields = dict(re.findall(r"(?m)^(\S+): (.*)$", stanza))
        name, source = fields.get("Package", ""), fields.get("Source", "").split(" ")[0]
        qemu = re.fullmatch(r"qemu-system-(x86|arm|common)", name)
        if fields.get("Status") == "install ok installed" and (source == "libvirt" or qemu):
            found.append((name, fields["Version"]))
    return found


def _bumped(directory: Path, name: str, version: str) -> Path:
    """Debian's package under a higher version."""
    (deb,) = _fetched(directory, f"{name}={version}")
    tree = directory / "repositories/tree"
    run("dpkg-deb", "--raw-extract", str(deb), str(tree))
    control = tree / "DEBIAN/control"
    text = re.sub(r"(?m)^Version: .*$", f"Version: {version}{BUMP}", control.read_text())
    control.write_text(text.replace(f"(= {version})", f"(= {version}{BUMP})"))
    path = directory / "repositories" / f"{name}_{ARCHITECTURE}{BUMP}.deb"
    run("dpkg-deb", "--build", "-Zgzip", "-z1", str(tree), str(path))
    shutil.rmtree(tree)
    return path


def _needrestart(directory: Path) -> list[Path]:
    """needrestart with what a node lacks for it, from this machine's mirror."""
    plan = run(
        "apt-get", "-o", f"Dir::State::status={directory}/status", "--simulate",
        "--no-install-recommends", "install", "needrestart",
    ).decode()  # fmt: skip
    names = re.findall(r"(?m)^Inst (\S+) (?:\[\S+\] )?\((\S+) ", plan)
    return _fetched(directory, *(f"{name}={version}" for name, version in names))


def _fetched(directory: Path, *names: str) -> list[Path]:
    """Debian's packages, downloaded."""
    place = directory / "repositories/fetched"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    subprocess.run(
        ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *names],
        cwd=place, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return sorted(place.glob("*.deb"))


if __name__ == "__main__":
    main()
