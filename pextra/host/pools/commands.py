# SPDX-License-Identifier: Apache-2.0
"""Programs that manage storage, run with a limit in time; no secret is among the arguments."""

from __future__ import annotations

import os
import socket
import subprocess

from pextra.model.errors import HostError, UnsupportedError

PATIENCE = 60.0
"""Seconds for what should take a moment, on a machine under load."""
LONG = 6 * 3600.0
"""Seconds for what copies data."""
_ENVIRONMENT = {
    "LC_ALL": "C",
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LVM_SUPPRESS_FD_WARNINGS": "1",
}


def run(package: str, *argv: str, timeout: float = PATIENCE) -> str:
    """The output of a program.

    Args:
        package: Debian's package that has it.
        argv: The program and its arguments.
        timeout: Seconds.

    Raises:
        UnsupportedError: It is not installed.
        HostError: It failed, or took too long.
    """
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, errors="replace", check=False, timeout=timeout,
            stdin=subprocess.DEVNULL, env=_ENVIRONMENT,
        )  # fmt: skip
    except FileNotFoundError:
        raise UnsupportedError(
            f"{argv[0]} is missing on this node", hint=f"Install the package {package}"
        ) from None
    except subprocess.TimeoutExpired:
        raise HostError(f"{argv[0]} did not end within {timeout:.0f} seconds") from None
    if done.returncode != 0:
        text = " ".join((done.stderr or done.stdout).split()) or f"status {done.returncode}"
        raise HostError(f"{os.path.basename(argv[0])} failed: {text}")
    return done.stdout


def reach(host: str, port: int, what: str, timeout: float = 5.0) -> None:
    """See whether a server takes connections.

    Raises:
        HostError: It does not, within ``timeout`` seconds.
    """
    try:
        socket.create_connection((host, port), timeout).close()
    except OSError as error:
        reason = "no answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise HostError(
            f"{what} {host} port {port} cannot be reached: {reason}",
            hint="Check the address, the server and the network between",
        ) from None


def write_private(path: str, text: str) -> None:
    """Write a file that only root reads; it is there complete or not at all.

    Raises:
        HostError: It cannot be written.
    """
    unfinished = f"{path}.unfinished"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, 0o600)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.replace(unfinished, path)
    except OSError as error:
        raise HostError(f"{path} cannot be written: {error.strerror}") from None


def read_private(path: str) -> str | None:
    """What is in a file that only root reads; None where it is missing or others may read it."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return None if os.fstat(file.fileno()).st_mode & 0o077 else file.read()
    except OSError:
        return None
