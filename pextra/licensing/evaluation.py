# SPDX-License-Identifier: Apache-2.0
"""The 30-day evaluation licence that a node makes for itself, once.

In the state directory (0700): ``evaluation.key``, the node's private key (0600), and
``evaluation.license``, the licence key (0600). In the directory of trusted keys:
``evaluation.pem``. They are written in the order private key, public key, licence, each whole or
not at all, so that a run that was cut off is finished by the next one.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pextra.licensing.errors import (
    EvaluationUsedError,
    LicenseError,
    LicenseExpiredError,
    SigningKeyError,
)
from pextra.licensing.files import read_small, write_new
from pextra.licensing.keys import generate_pair, load_public_pem, public_key_of, public_pem
from pextra.licensing.token import EVALUATION_PERIOD, Edition, License, issue, verify
from pextra.licensing.trust import DEFAULT_DIRECTORY, EVALUATION_SIGNER, TrustedKey, TrustStore
from pextra.model.errors import HostError

DEFAULT_STATE = Path("/var/lib/pextra-ce/license")
DEFAULT_CUSTOMER = "Evaluation"
_REAL_LICENSE = "Set a licence key from whoever you have the platform of"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A node's evaluation licence.

    Attributes:
        key: The licence key's text, a secret.
        license: What it says.
        changed: Whether this run made or completed anything.
    """

    key: str
    license: License
    changed: bool


@dataclass(frozen=True, slots=True)
class _Files:
    private_key: Path
    license: Path
    public_key: Path

    @classmethod
    def under(cls, state: Path, trusted: Path) -> _Files:
        return cls(
            state / f"{EVALUATION_SIGNER}.key",
            state / f"{EVALUATION_SIGNER}.license",
            trusted / f"{EVALUATION_SIGNER}.pem",
        )


def find_evaluation(
    now: dt.datetime,
    state_directory: Path | str = DEFAULT_STATE,
    trust_directory: Path | str = DEFAULT_DIRECTORY,
) -> Evaluation | None:
    """The evaluation licence that is there, or None if one can be made. Writes nothing.

    `changed` of the result says whether `ensure_evaluation` would have something to complete.

    Raises:
        EvaluationUsedError: There was one and it has expired, or its key pair is gone.
        LicenseError: What is there is damaged, or does not belong together.
        HostError: A file cannot be read.
    """
    files = _Files.under(Path(state_directory), Path(trust_directory))
    private = _read(files.private_key)
    public = _public_key(files, private)
    text = _read(files.license)
    if text is None:
        return None
    if public is None:
        raise LicenseError(
            f"{files.license} is there, but the keys that it was signed with are gone",
            hint=_REAL_LICENSE,
        )
    key = text.decode("ascii", "replace").strip()
    try:
        license = verify(key, TrustStore.of(TrustedKey(EVALUATION_SIGNER, public)), now)
    except LicenseExpiredError as error:
        raise EvaluationUsedError(
            f"this node has had its evaluation: {error.message}",
            resource=error.resource,
            hint=_REAL_LICENSE,
        ) from None
    except LicenseError as error:
        error.resource = str(files.license)
        raise
    return Evaluation(key, license, changed=_incomplete(files))


def ensure_evaluation(
    now: dt.datetime,
    state_directory: Path | str = DEFAULT_STATE,
    trust_directory: Path | str = DEFAULT_DIRECTORY,
    *,
    customer: str = DEFAULT_CUSTOMER,
) -> Evaluation:
    """The node's evaluation licence: the one that is there, else a new one of 30 days.

    Safe to run again at any time and by several processes at once.

    Raises:
        InputError: The customer's name is not acceptable.
        LicenseError: As `find_evaluation`.
        HostError: A file cannot be read or written.
    """
    state, trusted = Path(state_directory), Path(trust_directory)
    files = _Files.under(state, trusted)
    try:
        _make_directory(state, 0o700)
        _make_directory(trusted, 0o755)
        with _locked(state):
            found = find_evaluation(now, state, trusted)
            if found is None:
                return _make(files, now, customer)
            if found.changed:
                _complete(files)
            return found
    except OSError as error:
        raise _unusable(error) from None


def _make(files: _Files, now: dt.datetime, customer: str) -> Evaluation:
    private = _read(files.private_key)
    if private is None:
        private, _public = generate_pair()
        # Everything that can be refused is, before the first file is there.
        key = _issue(private, customer, now)
        write_new(files.private_key, private, 0o600)
    else:
        key = _issue(private, customer, now)
    _complete(files)
    write_new(files.license, f"{key}\n".encode(), 0o600)
    store = TrustStore.of(TrustedKey(EVALUATION_SIGNER, public_key_of(private)))
    return Evaluation(key, verify(key, store, now), changed=True)


def _issue(private: bytes, customer: str, now: dt.datetime) -> str:
    # Whole seconds, or the licence could begin a fraction of a second before or after now.
    begin = now.replace(microsecond=0)
    return issue(private, customer, Edition.EVALUATION, begin, begin + EVALUATION_PERIOD)


def _complete(files: _Files) -> None:
    for path in (files.private_key, files.license):
        if _readable_by_others(path):
            path.chmod(0o600)
    private = _read(files.private_key)
    if private is not None and _read(files.public_key) is None:
        write_new(files.public_key, public_pem(public_key_of(private)), 0o644)


def _incomplete(files: _Files) -> bool:
    return _read(files.public_key) is None or any(
        _readable_by_others(path) for path in (files.private_key, files.license)
    )


def _readable_by_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except FileNotFoundError:
        return False


def _public_key(files: _Files, private: bytes | None) -> bytes | None:
    """The raw public key by which the evaluation licence is checked, None if there is none yet."""
    pem = _read(files.public_key)
    if private is None:
        if pem is not None and _read(files.license) is None:
            raise EvaluationUsedError(
                f"this node has had an evaluation: {files.public_key} is there, its private key"
                f" {files.private_key} is not",
                hint=f"{_REAL_LICENSE}; if the file is left over from an installation that was"
                " removed, remove it too",
            )
        return None if pem is None else _of_file(files.public_key, pem)
    try:
        public = public_key_of(private)
    except SigningKeyError as error:
        error.resource = str(files.private_key)
        raise
    if pem is not None and _of_file(files.public_key, pem) != public:
        raise LicenseError(
            f"{files.public_key} is not the public half of {files.private_key}",
            hint="The name evaluation is kept for this node's own key: name other keys otherwise",
        )
    return public


def _of_file(path: Path, pem: bytes) -> bytes:
    try:
        return load_public_pem(pem)
    except SigningKeyError as error:
        error.resource = str(path)
        raise


def _read(path: Path) -> bytes | None:
    try:
        return read_small(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(error) from None


def _unusable(error: OSError) -> HostError:
    where = f"{error.filename}: " if error.filename else ""
    return HostError(f"the evaluation licence's files: {where}{error.strerror or error}")


def _make_directory(path: Path, mode: int) -> None:
    if not path.is_dir():
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.mkdir(mode=mode, exist_ok=True)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the directory itself locked, so that no lock file is left behind."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
