"""Where an unattended installation finds its answers.

In this order: an address on the kernel's command line, a volume labelled PEXTRA-ANSWERS, a file on
the medium. The first that is there counts, even if its answers cannot be used: to fall back on
another would install what nobody asked for.
"""

from __future__ import annotations

import json
import pathlib
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from pextra.host.disks.devices import ANSWERS_LABEL, holds_answers
from pextra_installer.answers import files
from pextra_installer.answers.download import AddressError, Unreachable, address_of, fetch
from pextra_installer.check import Check
from pextra_installer.plan import Plan
from pextra_installer.problems import InstallerError

URL, PIN = "pextra.answers", "pextra.answers_sha256"
MEDIUM = (
    pathlib.Path("/run/live/medium/pextra"),
    pathlib.Path("/run/pextra-medium/pextra"),
)
ATTEMPTS = 12
LONGEST_PAUSE = 20.0


@dataclass(frozen=True, slots=True)
class Found:
    """The contents of an answer file and where they are from."""

    source: str
    data: bytes
    format: files.Format

    def plan(self, *checks: Check) -> Plan:
        """The plan, which also passes these checks.

        Raises:
            AnswersError: With every problem and its line.
        """
        return files.parse(self.data, self.format, self.source, *checks)


def options(command_line: str) -> Mapping[str, str]:
    """The kernel's command line as options; the last one of a name counts, as for the kernel."""
    try:
        words = shlex.split(command_line)
    except ValueError:
        words = command_line.split()
    pairs = (word.partition("=") for word in words)
    return {name: value for name, equals, value in pairs if equals}


def find(
    command_line: str | None = None,
    tell: Callable[[str], None] = print,
    sleep: Callable[[float], None] = time.sleep,
) -> Found | None:
    """The answers of an unattended installation, None where there are none.

    Args:
        command_line: The kernel's; read from /proc unless given.
        tell: Called with a line for people before each attempt.
        sleep: Waits for seconds.

    Raises:
        InstallerError: A source is named or there, and cannot be read.
    """
    if command_line is None:
        command_line = pathlib.Path("/proc/cmdline").read_text(encoding="utf-8")
    given = options(command_line)
    if URL in given:
        return _download(given[URL], given.get(PIN), tell, sleep)
    return attached(tell)


def attached(tell: Callable[[str], None] = print) -> Found | None:
    """The answers on a volume or on the medium, None where there are none.

    Raises:
        InstallerError: They cannot be read.
    """
    return from_volume(tell) or from_directories(MEDIUM)


def pauses() -> Iterator[float]:
    """Seconds between attempts: one, then twice as long each time up to a limit."""
    pause = 1.0
    for _attempt in range(ATTEMPTS - 1):
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE)


def _download(
    url: str,
    pin: str | None,
    tell: Callable[[str], None],
    sleep: Callable[[float], None],
) -> Found:
    address = address_of(url)
    format = files.format_of(address.path.partition("?")[0])
    waits = pauses()
    for attempt in range(1, ATTEMPTS + 1):
        tell(f"answers: {url}, attempt {attempt} of {ATTEMPTS}")
        try:
            return Found(url, fetch(address, pin, files.MAX_BYTES), format)
        except Unreachable as error:
            reason = str(error)
            pause = next(waits, None)
            if pause is None:
                break
            tell(f"answers: {reason}; trying again in {pause:.0f} s")
            sleep(pause)
    raise AddressError(
        f"{url} cannot be read after {ATTEMPTS} attempts: {reason}",
        "Look at the address, the server and this machine's network",
    )


def from_directories(directories: tuple[pathlib.Path, ...]) -> Found | None:
    """An answer file in one of these directories.

    Raises:
        InstallerError: There are several, or it cannot be read.
    """
    for directory in directories:
        present = [directory / name for name in files.NAMES if (directory / name).is_file()]
        if len(present) > 1:
            names = ", ".join(path.name for path in present)
            raise InstallerError(f"{directory} holds several answer files: {names}", "Keep one")
        if present:
            path = present[0]
            try:
                with path.open("rb") as file:
                    data = file.read(files.MAX_BYTES + 1)
            except OSError as error:
                raise InstallerError(f"{path} cannot be read: {error.strerror}") from None
            return Found(str(path), data, files.format_of(path.name))
    return None


def from_volume(tell: Callable[[str], None] = print) -> Found | None:
    """An answer file on the volume labelled PEXTRA-ANSWERS.

    Raises:
        InstallerError: There are several such volumes, or it has no answer file.
    """
    devices = _labelled()
    if len(devices) > 1:
        raise InstallerError(
            f"several volumes are labelled {ANSWERS_LABEL}: {', '.join(devices)}",
            "Leave one connected",
        )
    if not devices:
        return None
    tell(f"answers: volume {ANSWERS_LABEL} at {devices[0]}")
    with _mounted(devices[0]) as directory:
        found = from_directories((directory,))
    if found is None:
        raise InstallerError(
            f"the volume {ANSWERS_LABEL} has no answer file",
            f"Call it one of: {', '.join(files.NAMES)}",
        )
    name = pathlib.PurePath(found.source).name
    return Found(f"{ANSWERS_LABEL}:/{name}", found.data, found.format)


def _labelled() -> list[str]:
    done = subprocess.run(
        ["lsblk", "--json", "--list", "--output", "PATH,LABEL"],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        listed = json.loads(done.stdout)["blockdevices"]
    except (ValueError, KeyError):
        return []
    return sorted({str(one["path"]) for one in listed if holds_answers(one)})


@contextmanager
def _mounted(device: str) -> Iterator[pathlib.Path]:
    with tempfile.TemporaryDirectory(prefix="pextra-answers-") as directory:
        argv = ["mount", "-o", "ro,nosuid,nodev,noexec", device, directory]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise InstallerError(f"{device} cannot be mounted: {done.stderr.strip()}")
        try:
            yield pathlib.Path(directory)
        finally:
            subprocess.run(["umount", directory], capture_output=True, check=False)
