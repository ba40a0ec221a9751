"""Build what the server of this scenario finds on its internet.

``debian`` has what the server lacks for its role. ``first`` and ``second`` are the vendor's
repository with version 1.0 and 2.0 of the platform, which needs a package of Debian's, and
``forged`` is one that somebody else signed.

Usage: build.py DIRECTORY, where ``status`` is dpkg's status file of a node.
"""

from __future__ import annotations

import re
import shutil
import sys
import tarfile
from pathlib import Path

from ansible_collections.pextra.ce.tests.integration.packages import Repository
from lab import apt
from mirror_bed import Builder, Deb, Key, SourceRepository, run

TOOLS = ("dosfstools", "gnupg", "gpgv", "nginx-light")
NEEDED = "dosfstools"
"""What the platform's packages here depend on, and a node lacks."""


def main() -> None:
    """Build all that the directory is to have."""
    directory = Path(sys.argv[1])
    shutil.rmtree(directory / "internet", ignore_errors=True)
    internet = directory / "internet"
    internet.mkdir()
    tools = apt.lacking(directory / "status", directory / "fetched", *TOOLS)
    debian = Repository(internet / "debian")
    debian.publish(tools)
    debian.close()
    shutil.rmtree(internet / "debian/gnupg")
    vendor(internet, [deb(path) for path in tools])
    shutil.copy(internet / "vendor.gpg", directory)
    shutil.copy(internet / "fingerprint", directory)
    with tarfile.open(directory / "internet.tar", "w") as archive:
        archive.add(internet, arcname=".")


def vendor(internet: Path, debian: list[Deb]) -> None:
    """The vendor's repository in its states."""
    keys = Path(run("mktemp", "--directory").decode().strip())  # sockets have short paths only
    builder = Builder(internet.parent / "built")
    own, stranger = Key(keys, "vendor"), Key(keys, "stranger")
    source = SourceRepository(internet / "state", own)
    try:
        old, new = ([*builder.platform(version),
                     builder.deb("pce-disk", version, "amd64", depends=NEEDED)]
                    for version in ("1.0", "2.0"))  # fmt: skip
        for name, debs, key in (
            ("first", old, own), ("second", old + new, own), ("forged", old + new, stranger)
        ):  # fmt: skip
            source.release(debs, key=key)
            source.release(debian, distribution="trixie", components=["main"])
            shutil.copytree(source.root, internet / name)
    finally:
        source.stop()
        own.stop()
        stranger.stop()
    shutil.copy(own.public, internet / "vendor.gpg")
    (internet / "fingerprint").write_text(own.fingerprint)
    shutil.rmtree(source.root)
    shutil.rmtree(keys)


def deb(path: Path) -> Deb:
    """A package of Debian's."""
    control = run("dpkg-deb", "--field", path).decode()
    fields = dict(re.findall(r"(?m)^(\S+): (.*)$", control))
    return Deb(
        fields["Package"], fields["Version"], fields["Architecture"], "main", control,
        path.read_bytes(),
    )  # fmt: skip


if __name__ == "__main__":
    main()
