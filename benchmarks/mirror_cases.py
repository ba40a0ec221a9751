# SPDX-License-Identifier: Apache-2.0
"""Hand pextra-mirror, aptly, debmirror and apt-mirror2 the same unusual sources.

What each makes of them is told by what a node with apt gets from the mirror afterwards.
`make bench-mirror-cases` sets everything up and runs this.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from unusual import indexes, put, stanza, two_keys

from apt_client import AptClient
from benchmarks.mirror_sides import SCRIPT
from mirror_bed import Builder, Deb, Key, Mirror, SourceRepository, platform

HEAD = "| what the source does | should be | {} |\n| --- | --- |{}"


@dataclass
class Place:
    """A source, and the folder of all that one case needs."""

    folder: Path
    source: SourceRepository
    own: Key
    stranger: Key
    builder: Builder

    def run(self, *argv: str | Path, env: dict[str, str] | None = None) -> bool:
        """Whether a program succeeds."""
        kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environment = {**kept, "LC_ALL": "C.UTF-8", **(env or {})}
        with (self.folder / "log").open("ab") as log:
            done = subprocess.run(
                [str(word) for word in argv], env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, check=False,
            )  # fmt: skip
        return done.returncode == 0


class Ours:
    """pextra-mirror."""

    name = "pextra-mirror"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._mirror = Mirror(
            place.folder / "ours",
            platform(place.source, components=["common"], architectures=["amd64"]),
        )
        self._mirror.run("init")
        self.tree, self.key = self._mirror.public / "pextra", self._mirror.key()

    def sync(self) -> bool:
        return self._mirror.call("sync", "--publish").code == 0

    def stop(self) -> None:
        self._mirror.stop()


class Aptly:
    """aptly, with the commands of the platform's guide, and `switch`."""

    name = "aptly"

    def __init__(self, place: Place) -> None:
        self._place, folder = place, place.folder / "aptly"
        folder.mkdir()
        settings = {"rootDir": str(folder), "gpgProvider": "gpg"}
        (folder / "aptly.conf").write_text(json.dumps(settings))
        script = SCRIPT.format(folder=folder, url=place.source.url, key=place.own.fingerprint,
                               keyring=place.source.key.public)  # fmt: skip
        (folder / "sync").write_text(script.replace("common meta", "common"))
        self.tree, self.key = folder / "public", place.own.public

    def sync(self) -> bool:
        script = self._place.folder / "aptly/sync"
        return self._place.run("sh", script, env=self._place.own.env)

    def stop(self) -> None:
        """Nothing runs."""


class Debmirror:
    """debmirror."""

    name = "debmirror"

    def __init__(self, place: Place) -> None:
        self._place = place
        (place.folder / "debmirror.conf").write_text("1;\n")
        self.tree, self.key = place.folder / "debmirror", place.source.key.public

    def sync(self) -> bool:
        address = self._place.source.url.removeprefix("http://")
        return self._place.run(
            "debmirror", self.tree, "--method=http", f"--host={address}", "--root=/",
            "--dist=bookworm", "--section=common", "--arch=amd64", "--nosource", "--diff=none",
            "--rsync-extra=none", f"--keyring={self.key}",
            f"--config-file={self._place.folder}/debmirror.conf",
        )  # fmt: skip

    def stop(self) -> None:
        """Nothing runs."""


class AptMirror:
    """apt-mirror2, told to verify signatures."""

    name = "apt-mirror2"
    program = "apt-mirror"

    def __init__(self, place: Place) -> None:
        self._place, base = place, place.folder / "apt-mirror2"
        base.mkdir()
        self._config = place.folder / "mirror.list"
        self._config.write_text(
            f"set base_path {base}\nset gpg_verify force\n"
            f"deb [arch=amd64 signed-by={place.source.key.public}] {place.source.url} bookworm "
            "common\n"
        )
        address = place.source.url.removeprefix("http://")
        self.tree, self.key = base / "mirror" / address, place.source.key.public

    def sync(self) -> bool:
        return self._place.run(self.program, self._config)

    def stop(self) -> None:
        """Nothing runs."""


KINDS = (Ours, Aptly, Debmirror, AptMirror)
Side = Ours | Aptly | Debmirror | AptMirror


def node(place: Place, side: Side, package: str = "pce-web") -> str:
    """What a new node gets from a mirror: the version, or what goes wrong."""
    root = place.folder / f"node{time.monotonic_ns()}"
    client = AptClient(root, f"file:{side.tree}", side.key, components="common")
    if client.call("apt-get", "update").code:
        return "apt refuses the index"
    version = client.candidate(package)
    if version in ("", "(none)"):
        return "not there"
    done = client.call("apt-get", "install", "--yes", "--download-only", package)
    # What comes by file: is not copied, and held against its hash all the same.
    return version if done.code == 0 else "damaged"


def told(succeeded: bool, served: str) -> str:
    """What a mirror says, and what a node gets."""
    return f"{'taken' if succeeded else 'refused'}; served: {served}"


def release(place: Place, debs: list[Deb], **how: object) -> None:
    """The next state of the source."""
    put(place.source, indexes(debs), debs, **{"detached": place.source.key.sign, **how})  # type: ignore[arg-type]


def deb(place: Place, version: str = "1.0", size: int = 2000) -> Deb:
    """The package of a version."""
    return place.builder.deb("pce-web", version, "amd64", size=size)


def replay(place: Place, side: Side) -> str:
    """An older state is served again."""
    release(place, [deb(place, "2.0")])
    side.sync()
    release(place, [deb(place, "1.0")], moment=time.time() - 86400)
    return told(side.sync(), node(place, side))


def expired(place: Place, side: Side) -> str:
    """The Release has expired."""
    release(place, [deb(place)], fields="Valid-Until: Thu, 02 Jan 2020 00:00:00 UTC\n")
    return told(side.sync(), node(place, side))


def two_signers(place: Place, side: Side) -> str:
    """Two keys have signed, of which the keyring has one."""
    keys = place.stranger, place.source.key
    both = {"sign": two_keys(*keys), "detached": two_keys(*keys, "--detach-sign")}
    release(place, [deb(place)], **both)
    return told(side.sync(), node(place, side))


def for_all(place: Place, side: Side) -> str:
    """A package is listed for all architectures only."""
    debs = [deb(place), place.builder.deb("pce-doc", "1.0", "all")]
    files = indexes(debs[:1]) | {"common/binary-all/Packages": stanza(debs[1]).encode()}
    put(place.source, files, debs, detached=place.source.key.sign)
    return told(side.sync(), node(place, side, "pce-doc"))


def sha512(place: Place, side: Side) -> str:
    """There is no digest but SHA-512."""
    debs = [deb(place)]
    files, sign = indexes(debs, digest="sha512"), place.source.key.sign
    put(place.source, files, debs, lists="SHA512", detached=sign)
    return told(side.sync(), node(place, side))


def rebuilt(place: Place, side: Side) -> str:
    """A package has other contents under its version."""
    release(place, [deb(place)])
    side.sync()
    release(place, [deb(place, size=2001)])
    return told(side.sync(), node(place, side))


def damage(place: Place, side: Side) -> str:
    """A byte of a served package is flipped; then nothing new, then a new Release."""
    release(place, [deb(place)])
    side.sync()
    path = next(path for path in side.tree.rglob("*.deb"))
    data = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(len(data) - 1)
        file.write(bytes([data[-1] ^ 1]))
    found = []
    for fields in ("", "Label: again\n"):
        if fields:
            release(place, [deb(place)], fields=fields)
        found.append(told(side.sync(), "healed" if path.read_bytes() == data else "damaged"))
    return " / ".join(found)


def emptied(place: Place, side: Side) -> str:
    """All packages vanish."""
    release(place, [deb(place), place.builder.deb("pce-node", "1.0", "amd64")])
    side.sync()
    release(place, [])
    return told(side.sync(), node(place, side))


CASES: dict[Callable[[Place, Side], str], str] = {
    replay: "refused; 2.0", expired: "refused", two_signers: "taken; 1.0", for_all: "taken; 1.0",
    sha512: "taken; 1.0", rebuilt: "taken; the new one", damage: "healed", emptied: "asked; 1.0",
}  # fmt: skip


def answers(case: Callable[[Place, Side], str]) -> Iterator[str]:
    """What each makes of a case, in an empty place of its own."""
    for kind in KINDS:
        folder = Path(tempfile.mkdtemp(prefix="pxb-", dir="/var/tmp"))
        folder.chmod(0o755)
        key, own, stranger = (Key(folder, name) for name in ("vendor", "own", "stranger"))
        source = SourceRepository(folder / "source", key)
        place = Place(folder, source, own, stranger, Builder(folder / "build"))
        source.release([])
        side = kind(place)
        try:
            found = case(place, side)
        except (StopIteration, OSError, AssertionError) as error:
            found = f"cannot be tried: {type(error).__name__}"
        finally:
            side.stop()
            source.stop()
            for item in (key, own, stranger):
                item.stop()
            shutil.rmtree(folder)
        print(f"  {case.__name__}, {kind.name}: {found}", file=sys.stderr, flush=True)
        yield found


def main() -> int:
    """Try all cases; write the table."""
    parser = argparse.ArgumentParser(prog="make bench-mirror-cases", description=__doc__)
    parser.add_argument("--apt-mirror2", default="apt-mirror", metavar="PROGRAM")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the table there, too")
    options = parser.parse_args()
    AptMirror.program = options.apt_mirror2
    lines = [HEAD.format(" | ".join(kind.name for kind in KINDS), " --- |" * len(KINDS))]
    for case, wanted in CASES.items():
        what = (case.__doc__ or "").rstrip(".")
        lines.append(f"| {what} | {wanted} | {' | '.join(answers(case))} |")
    text = "\n".join([*lines, ""])
    print(text)
    if options.save:
        options.save.write_text(f"# What mirrors make of unusual sources\n\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
