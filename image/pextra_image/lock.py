# SPDX-License-Identifier: Apache-2.0
"""The lock file: the exact Debian packages of a root file system, with their hashes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from pextra_image.run import ImageError, Programs
from pextra_image.sources import apt_sources

FORMAT = 1


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """A Debian package.

    :ivar path: where the archive has it, below its address: pool/main/….
    :ivar sha256: hash (hex) of the .deb file.
    :ivar size: of the .deb file, in bytes.
    """

    name: str
    version: str
    architecture: str
    path: str
    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        """The name of the .deb file."""
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Lock:
    """The packages of one architecture; `epoch` is the time (seconds since 1970) of locking."""

    architecture: str
    epoch: int
    packages: tuple[Package, ...]


def read(path: Path) -> Lock:
    """Read a lock file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ImageError(f"There is no lock file {path}: run pextra-image lock") from None
    except json.JSONDecodeError as error:
        raise ImageError(f"{path} is damaged ({error}): run pextra-image lock") from error
    if data.get("format") != FORMAT:
        raise ImageError(f"{path} has format {data.get('format')!r}, not {FORMAT}: lock again")
    packages = tuple(Package(**fields) for fields in data["packages"])
    return Lock(data["architecture"], data["epoch"], packages)


def write(lock: Lock, path: Path) -> None:
    """Write a lock file: one line a package, so that a change of one shows as one line."""
    lines = [
        json.dumps({field: getattr(package, field) for field in Package.__slots__})
        for package in sorted(lock.packages)
    ]
    head = f'{{"format": {FORMAT}, "architecture": "{lock.architecture}", "epoch": {lock.epoch},\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    body = ",\n".join(lines)
    path.write_text(f'{head}"packages": [\n{body}\n]}}\n', encoding="utf-8")


def wanted(listing: str, architecture: str) -> list[str]:
    """Read a list of packages: those of an architecture.

    >>> wanted("a\\nb amd64 arm64\\nc arm64  # why\\n", "amd64")
    ['a', 'b']
    """
    lines = [line.split("#")[0].split() for line in listing.splitlines()]
    return [words[0] for words in lines if words and (not words[1:] or architecture in words[1:])]


class Resolver:
    """Asks apt, with sources and lists of its own, which packages belong together.

    :param repository: the apt repository of this tree's own packages.
    """

    def __init__(
        self,
        programs: Programs,
        architecture: str,
        mirrors: tuple[str, ...],
        repository: Path,
        work: Path,
    ) -> None:
        self._programs = programs
        for folder in ("lists/partial", "cache/archives/partial"):
            (work / folder).mkdir(parents=True, exist_ok=True)
        (work / "status").touch()
        sources = apt_sources(programs, mirrors)
        own = f"deb [trusted=yes] file:{repository} bookworm common meta\n"
        self._own = _names(repository)
        (work / "sources.list").write_text(sources + own, encoding="utf-8")
        self._options = [
            f"--option=APT::Architecture={architecture}",
            f"--option=APT::Architectures={architecture}",
            "--option=APT::Get::Assume-Yes=true",
            "--option=APT::Install-Recommends=false",
            "--option=APT::Sandbox::User=root",
            f"--option=Dir::Cache={work}/cache",
            f"--option=Dir::Etc::SourceList={work}/sources.list",
            "--option=Dir::Etc::SourceParts=/dev/null",
            "--option=Dir::Etc::Preferences=/dev/null",
            "--option=Dir::Etc::PreferencesParts=/dev/null",
            f"--option=Dir::State={work}",
            f"--option=Dir::State::Lists={work}/lists",
            f"--option=Dir::State::Status={work}/status",
            "--option=Acquire::Retries=3",
        ]

    def resolve(self, names: list[str]) -> tuple[Package, ...]:
        """Find the newest packages for some names, with all that they depend on.

        Packages of this tree's own repository are not among the result.
        """
        self._programs.run(["apt-get", *self._options, "--error-on=any", "update"])
        essential = ["?essential", "?priority(required)", "apt"]
        simulated = self._programs.read(
            ["apt-get", *self._options, "--simulate", "install", *essential, *names]
        )
        chosen = re.findall(r"^Inst (\S+) \((\S+) ", simulated, re.MULTILINE)
        shown = self._programs.read(
            [
                "apt-cache",
                *self._options,
                "show",
                *(f"{name}={version}" for name, version in chosen),
            ]
        )
        stanzas = [parse_stanza(text) for text in shown.strip().split("\n\n")]
        found = {package for package in stanzas if package.name not in self._own}
        names_found = {package.name for package in found}
        missing = {name for name, _ in chosen} - self._own - names_found
        if missing or len(names_found) != len(found):
            raise ImageError(f"apt shows other packages than it would install: {sorted(missing)}")
        return tuple(sorted(found))


def _names(repository: Path) -> set[str]:
    """The packages of an apt repository in a folder."""
    indices = repository.glob("dists/*/*/binary-*/Packages")
    texts = [path.read_text(encoding="utf-8") for path in indices]
    return {name for text in texts for name in re.findall(r"^Package: (\S+)$", text, re.MULTILINE)}


def parse_stanza(text: str) -> Package:
    """Read one package of what `apt-cache show` prints."""
    fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", text, re.MULTILINE))
    return Package(
        name=fields["Package"],
        version=fields["Version"],
        architecture=fields["Architecture"],
        path=fields["Filename"],
        sha256=fields["SHA256"],
        size=int(fields["Size"]),
    )
