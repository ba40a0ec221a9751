# SPDX-License-Identifier: Apache-2.0
"""What a medium has besides the system: answers, and signers of licence keys. Checked before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pextra_image.run import ImageError


@dataclass(frozen=True, slots=True)
class Extra:
    """A file of the medium: its name below the directory pextra/, and its contents."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Extras:
    """What the installer finds in the medium's directory pextra/.

    :ivar label: names the medium with answers; empty for the plain one.
    """

    files: tuple[Extra, ...] = ()
    label: str = ""

    @property
    def answers(self) -> bool:
        """Whether there are answers, so that nothing has to be asked."""
        return bool(self.label)


PLAIN = Extras()
"""Of a medium that has none."""


def read(answers: Path | None, signers: Sequence[Path]) -> Extras:
    """Read and check what goes on a medium.

    :param answers: an answer file, which the installer on the medium will take.
    :param signers: public keys, of which the node takes licence keys.
    :raises ImageError: one of them is no good, with every reason.
    """
    trusted = [_signer(path) for path in signers]
    names = [extra.name for extra in trusted]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ImageError(f"two public keys would be {twice[0]} on the medium: rename one")
    if answers is None:
        return Extras(tuple(trusted))
    return Extras((_answers(answers, trusted), *trusted), _label(answers))


def _signer(path: Path) -> Extra:
    from pextra.licensing.errors import LicenseError
    from pextra.licensing.files import read_small
    from pextra.licensing.keys import load_public_pem
    from pextra.licensing.trust import EVALUATION_SIGNER
    from pextra_installer.licensing import FOLDER

    if path.suffix != ".pem" or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", path.stem):
        hint = "letters, digits and ._- before .pem: the signer's name"
        raise ImageError(f"{path} has another name than a public key's: {hint}")
    if path.stem == EVALUATION_SIGNER:
        raise ImageError(f"{path} has the name of a node's own key: rename it")
    try:
        data = read_small(path)
        load_public_pem(data)
    except LicenseError as error:
        raise ImageError(f"{path} is no public key of a signer: {error.message}") from None
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}") from error
    return Extra(f"{FOLDER}/{path.name}", data)


def _answers(path: Path, trusted: Sequence[Extra]) -> Extra:
    """The answers, if the installer takes them on a medium with these signers."""
    from pextra.licensing.keys import load_public_pem
    from pextra.licensing.trust import TrustedKey, TrustStore
    from pextra_installer.answers import files
    from pextra_installer.licensing import LicenseCheck
    from pextra_installer.problems import InstallerError

    signers = [TrustedKey(Path(one.name).stem, load_public_pem(one.data)) for one in trusted]
    look = LicenseCheck.today(TrustStore.of(*signers))
    try:
        data = path.read_bytes()
        files.parse(data, files.format_of(path.name), str(path), look)
    except InstallerError as error:
        raise ImageError(f"the installer would refuse these answers: {error}") from None
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}") from error
    return Extra(f"answers{path.suffix.lower()}", data)


def _label(path: Path) -> str:
    """What an answer file is called, as a part of file names."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-") or "file"
