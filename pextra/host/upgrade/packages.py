# SPDX-License-Identifier: Apache-2.0
"""Packages: what apt would upgrade, and what an interrupted dpkg has left undone."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pextra.model.errors import HostError, NotFoundError

TIMEOUT = 1800.0
"""Seconds that fetching package lists may take."""
_INST = re.compile(r"Inst (\S+) (?:\[(\S+)\] )?\((\S+) ", re.ASCII)
_REMV = re.compile(r"Remv (\S+)", re.ASCII)
_KEPT = re.compile(r"kept back:\n((?:  .+\n)+)")
_STATUS = re.compile(r"(\S+) \S+ (\S+) (\S+)", re.ASCII)
_UNFINISHED = frozenset(
    ("half-installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending")
)


@dataclass(frozen=True, slots=True)
class Change:
    """One package that an upgrade changes; `before` is None where it is new."""

    name: str
    before: str | None
    after: str

    def as_dict(self) -> dict[str, str | None]:
        """As a task returns it."""
        return {"name": self.name, "from": self.before, "to": self.after}


@dataclass(frozen=True, slots=True)
class Simulation:
    """What apt would do."""

    changes: tuple[Change, ...]
    kept_back: tuple[str, ...]


def parse_simulation(text: str) -> Simulation:
    """What ``apt-get --simulate upgrade`` printed in the locale C.

    Raises:
        HostError: It would remove something, which an upgrade never does.
    """
    removed = _REMV.findall(text)
    if removed:
        raise HostError(f"apt would remove {', '.join(sorted(removed))} in an upgrade")
    found = (_INST.match(line) for line in text.splitlines())
    changes = {match[1]: Change(match[1], match[2], match[3]) for match in found if match}
    kept = " ".join(_KEPT.findall(text)).split()
    return Simulation(tuple(changes[name] for name in sorted(changes)), tuple(sorted(kept)))


def simulate(lists: str | None = None) -> Simulation:
    """What an upgrade would do, as ``apt upgrade`` does it: new packages, but no removal.

    Args:
        lists: Where the package lists are, if not apt's own are meant.

    Raises:
        HostError: apt fails.
    """
    options = _reading(lists) if lists else []
    return parse_simulation(
        _output("apt-get", *options, "--simulate", "--quiet", "--with-new-pkgs", "upgrade")
    )


@contextlib.contextmanager
def fresh_lists() -> Iterator[str]:
    """A directory with package lists of this moment; apt's own stay as they are.

    Raises:
        HostError: A repository does not answer, or is not signed as it should be.
    """
    own = _output("apt-config", "shell", "d", "Dir::State::lists/d").partition("'")[2]
    own = own.rpartition("'")[0].rstrip("/")
    # apt's own user fetches, so it has to get there.
    with tempfile.TemporaryDirectory(prefix="pextra-ce-lists-") as directory:
        os.chmod(directory, 0o711)  # noqa: S103
        lists = f"{directory}/lists"
        # What has not changed is not fetched again.
        keep = shutil.ignore_patterns("partial", "lock")
        shutil.copytree(own, lists, symlinks=True, ignore=keep)
        with contextlib.suppress(LookupError):
            shutil.chown(lists, user="_apt")
        _output("apt-get", *_reading(lists), "--quiet", "--error-on=any", "update")
        yield lists


def _reading(lists: str) -> list[str]:
    """Options that let apt read lists from there, and keep no cache of them."""
    options = {
        "Dir::State::lists": lists,
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Update::Post-Invoke": "",
    }
    return [f"--option={name}={value}" for name, value in options.items()]


def parse_unfinished(status: str, journal: Sequence[str]) -> list[str]:
    """Packages that dpkg has left unfinished.

    Args:
        status: Lines of name, wanted, error and present state, as ``dpkg-query`` shows them.
        journal: Names of the files in dpkg's journal, which is empty while dpkg does not run.
    """
    found = {
        match[1]
        for match in map(_STATUS.fullmatch, status.splitlines())
        if match and (match[3] in _UNFINISHED or match[2] != "ok")
    }
    if not found and any(name.isdigit() for name in journal):
        found = {"dpkg's journal"}
    return sorted(found)


def unfinished() -> list[str]:
    """Packages that an interrupted dpkg has left unfinished.

    Raises:
        HostError: dpkg fails.
    """
    shown = "${binary:Package} ${db:Status-Want} ${db:Status-Eflag} ${db:Status-Status}\n"
    status = _output("dpkg-query", "--show", f"--showformat={shown}")
    try:
        journal = os.listdir(f"{_admin_directory()}/updates")
    except OSError:
        journal = []
    return parse_unfinished(status, journal)


def _admin_directory() -> str:
    """Where dpkg keeps its database (dpkg(1), environment)."""
    root = os.environ.get("DPKG_ROOT", "")
    return os.environ.get("DPKG_ADMINDIR") or f"{root}/var/lib/dpkg"


def _output(*argv: str) -> str:
    """What a program of apt or dpkg printed.

    Raises:
        NotFoundError: There is no such program.
        HostError: It failed.
    """
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            argv, env=environment, capture_output=True, text=True, check=False, timeout=TIMEOUT,
            stdin=subprocess.DEVNULL, errors="replace",
        )  # fmt: skip
    except FileNotFoundError:
        raise NotFoundError(f"there is no program {argv[0]}", hint="A node is Debian 12") from None
    except subprocess.TimeoutExpired:
        raise HostError(f"{argv[0]} has not ended after {TIMEOUT:.0f} seconds") from None
    if done.returncode != 0:
        text = " ".join((done.stderr or done.stdout).split())
        raise HostError(f"{argv[0]} {argv[-1]} failed: {text}")
    return done.stdout
