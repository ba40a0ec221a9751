# SPDX-License-Identifier: Apache-2.0
"""The seed that an instance should have: what it is called, and what is in it.

Its name has a digest of its contents in it, and user data and vendor data are secrets. So that a
run which only looks at the instance decrypts nothing, the row keeps the digest: hidden with the
key, beside what it was made for. That is the row's cloud-init as it is encrypted. A digest that
was kept goes on with secrets that are encrypted anew, and so the seed of a guest that runs stays.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, cast

from pextra.host.hypervisor import seed
from pextra.host.machine import Host
from pextra.host.secrets import cipher
from pextra.host.secrets.keyring import Keyring
from pextra.kinds.instance.cloud_init import DATA
from pextra.model import kinds
from pextra.model.encrypted import Encrypted, token_of
from pextra.model.errors import SecretError

if TYPE_CHECKING:
    from pextra.model.rows import InstanceRow

_SECRET = tuple(("cloud_init", name) for name in DATA)


def path(row: InstanceRow, host: Host) -> str | None:
    """Where the seed is that an instance should have; None where it should have none.

    Raises:
        SecretError: Its contents have changed, and cannot be read on this node.
    """
    if row["cloud_init"] is None:
        return None
    try:
        digest = _digest(row, host.keyring)
    except SecretError:
        there = [path for path in _there(row, host) if seed.is_whole(path)]
        if len(there) != 1 or not _is_as_kept(row):
            raise
        return there[0]
    return seed.path(host.state_dir, row["id"], digest)


def _there(row: InstanceRow, host: Host) -> tuple[str, ...]:
    return seed.found(host.state_dir, [row["id"]]).get(row["id"], ())


def contents(row: InstanceRow, host: Host) -> dict[str, str]:
    """The files of the seed, in the clear.

    Raises:
        SecretError: They cannot be read on this node.
    """
    return _files(_opened(row, host.keyring))


def kept(row: InstanceRow, after: InstanceRow, host: Host) -> str | None:
    """What the row keeps of its seed's name; None where there is no secret in it.

    Args:
        row: The row before its secrets are encrypted, or encrypted anew.
        after: The row as it is written.
        host: This machine.
    """
    token = next(filter(None, map(token_of, _secrets(after))), None)
    if token is None:
        return None
    context = _context(after)
    name = bytes.fromhex(_digest(row, host.keyring))
    hidden = cipher.hidden(host.keyring.get(token.key), name, context)
    return f"{token.key}:{context}:{hidden.hex()}"


def _secrets(row: InstanceRow) -> list[Encrypted]:
    found = (row["cloud_init"] or {}).values()
    return [value for value in found if type(value) is Encrypted]


def _digest(row: InstanceRow, keyring: Keyring) -> str:
    if _is_as_kept(row):
        key, context, name = str(row["seed"]).split(":")
        return cipher.hidden(keyring.get(key), bytes.fromhex(name), context).hex()
    return seed.digest(_files(_opened(row, keyring)))


def _is_as_kept(row: InstanceRow) -> bool:
    """Whether what the row keeps of the seed's name is of the row's secrets as they are."""
    found = str(row["seed"]).split(":") if _secrets(row) and row["seed"] else ()
    return len(found) == 3 and found[1] == _context(row)


def _context(row: InstanceRow) -> str:
    """What a name is kept for: an instance, and its seed's files as they are encrypted."""
    text = json.dumps([row["id"], _files(row)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _opened(row: InstanceRow, keyring: Keyring) -> InstanceRow:
    return cast("InstanceRow", keyring.opened(kinds.INSTANCE, row, _SECRET))


def _files(row: InstanceRow) -> dict[str, str]:
    return seed.contents(row["cloud_init_id"] or row["id"], row["name"], row["cloud_init"] or {})
