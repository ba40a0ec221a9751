# SPDX-License-Identifier: Apache-2.0
"""The public keys whose licences a node accepts: one PEM file each in a directory.

A file's name without ``.pem`` is the signer's name. The name ``evaluation`` is the node's own key:
it is trusted for short evaluation licences and for nothing else.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pextra.licensing.errors import LicenseError, TrustStoreError
from pextra.licensing.files import read_small
from pextra.licensing.keys import key_id, load_public_pem

DEFAULT_DIRECTORY = Path("/etc/pextra-ce/license-keys.d")
EVALUATION_SIGNER = "evaluation"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A signer that this node accepts.

    Attributes:
        name: The signer's name, from the file's name.
        public_key: The 32 raw bytes of the key.
    """

    name: str
    public_key: bytes

    @property
    def evaluation_only(self) -> bool:
        """Whether this is a node's own key, good for evaluation licences alone."""
        return self.name == EVALUATION_SIGNER


@dataclass(frozen=True, slots=True)
class TrustStore:
    """The signers that this node accepts.

    Attributes:
        keys: By key id (`keys.key_id`).
        rejected: What is wrong with the files that are not used, by file name.
        directory: Where they were read, for messages.
    """

    keys: Mapping[str, TrustedKey]
    rejected: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None

    @classmethod
    def of(cls, *keys: TrustedKey) -> TrustStore:
        """A store of these keys; a key that is also the evaluation key stays restricted."""
        found: dict[str, TrustedKey] = {}
        for key in keys:
            identity = key_id(key.public_key)
            if key.evaluation_only or identity not in found:
                found[identity] = key
        return cls(found)

    @classmethod
    def load(cls, directory: Path | str = DEFAULT_DIRECTORY) -> TrustStore:
        """Every ``*.pem`` file of a directory; a directory that is not there holds no keys.

        A file that is no Ed25519 public key, or that everybody may write, is not trusted and is
        listed in `rejected`: one bad file does not take the good ones away.

        Raises:
            TrustStoreError: The directory cannot be read, or everybody may write to it.
        """
        place = Path(directory)
        try:
            if place.stat().st_mode & stat.S_IWOTH:
                raise TrustStoreError(
                    f"everybody may write to the directory of trusted licence keys {place}",
                    hint=f"Look at what is in it, then run: chmod o-w {place}",
                )
            names = sorted(entry.name for entry in place.iterdir() if entry.name.endswith(".pem"))
        except FileNotFoundError:
            return cls({}, directory=place)
        except OSError as error:
            raise TrustStoreError(
                f"the directory of trusted licence keys {place} cannot be read: {error.strerror}"
            ) from None
        trusted: list[TrustedKey] = []
        rejected: dict[str, str] = {}
        for name in names:
            try:
                trusted.append(_load_key(place / name))
            except LicenseError as error:
                rejected[name] = error.message
            except OSError as error:
                rejected[name] = error.strerror or str(error)
        return cls(cls.of(*trusted).keys, rejected, place)

    def find(self, signer: str) -> TrustedKey | None:
        """The key with this id, if it is trusted."""
        return self.keys.get(signer)


def _load_key(path: Path) -> TrustedKey:
    if path.stat().st_mode & stat.S_IWOTH:
        raise TrustStoreError("everybody may write to it")
    return TrustedKey(path.name.removesuffix(".pem"), load_public_pem(read_small(path)))
