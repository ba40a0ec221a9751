"""The support archive: what somebody else needs to see why an installation failed. No secrets."""

from __future__ import annotations

import io
import pathlib
import subprocess
import tarfile

from pextra_installer.execute.journal import NAME
from pextra_installer.execute.run import LOG
from pextra_installer.hardware.model import Hardware, to_json
from pextra_installer.plan import Plan
from pextra_installer.redaction import redact
from pextra_installer.secrets import secrets_of

_COMMANDS = (
    ("lsblk", "--output-all"),
    ("ip", "address", "show"),
    ("findmnt", "--all"),
    ("dmesg",),
)


def archive(directory: pathlib.Path, hardware: Hardware, plan: Plan | None) -> pathlib.Path:
    """Write pextra-support.tar.gz into a directory and return its path."""
    secrets = secrets_of(plan) if plan is not None else frozenset()
    path = directory / "pextra-support.tar.gz"
    with tarfile.open(path, "w:gz") as made:
        _add(made, "hardware.json", to_json(hardware))
        for name in (LOG, NAME):
            file = directory / name
            if file.is_file():
                text = file.read_text(encoding="utf-8", errors="replace")
                _add(made, name, redact(text, secrets))
        for argv in _COMMANDS:
            _add(made, f"{argv[0]}.txt", redact(_output(argv), secrets))
    path.chmod(0o600)
    return path


def _output(argv: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{error}\n"
    return done.stdout + done.stderr


def _add(made: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode()
    entry = tarfile.TarInfo(f"pextra-support/{name}")
    entry.size, entry.mode = len(data), 0o600
    made.addfile(entry, io.BytesIO(data))
