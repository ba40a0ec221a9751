# SPDX-License-Identifier: Apache-2.0
"""The keys of encrypted secrets: what they are used for, another one, and who has them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pextra.calls.call import Answer, Call, Procedure, options, plain, told
from pextra.engine import rotation
from pextra.engine.progress import SILENT, Progress
from pextra.engine.rotation import Survey
from pextra.host.machine import Host
from pextra.host.secrets import versions
from pextra.host.secrets.cipher import Key
from pextra.host.secrets.keyring import COPY
from pextra.host.secrets.versions import State, Version
from pextra.kinds.registry import KINDS
from pextra.model.errors import SecretError
from pextra.model.fields import Field
from pextra.model.names import AnyName
from pextra.model.plan import Phase, Shown, Step
from pextra.model.values import Document
from pextra.store.connection import Store
from pextra.store.transaction import Transaction

_NODES = "SELECT name, host_key FROM nodes ORDER BY id"
_NAMED = 10
"""Resources that a message names."""
_KIND = AnyName("secret_key")
FIELDS = (Field("at_once", "bool", default=False), Field("give_up", "bool", default=False))


def _status(call: Call) -> Answer:
    options((), call.given, "secrets_status")
    found = rotation.survey(KINDS, call.store, call.host.keyring)
    known, nodes = call.store.transact(lambda tx: (versions.read(tx), _nodes(tx)), read_only=True)
    used = versions.in_use(known)
    names = {item.id for item in known}
    return {
        "changed": False,
        "directory": call.host.keyring.directory,
        "current": used.id if used else None,
        "keys": plain([_shown(item, found, nodes, call.host) for item in known]),
        "unknown_here": [id for id in call.host.keyring.ids() if id not in names],
        "plain": found.plain,
        "unreadable": _unreadable(found),
    }


def _shown(item: Version, found: Survey, nodes: dict[str, str], host: Host) -> Document:
    return {
        "id": item.id,
        "state": item.state.value,
        "creation": item.creation,
        "secrets": found.keys[item.id],
        "here": host.keyring.has(item.id),
        "missing_on": sorted(_lacking(item, nodes, host)),
    }


def _nodes(tx: Transaction) -> dict[str, str]:
    """The names of all nodes, by the keys of their machines."""
    return {row["host_key"]: row["name"] for row in tx.query(_NODES)}


def _lacking(item: Version, nodes: dict[str, str], host: Host) -> list[str]:
    """The nodes that are not known to have a key; of this one, it is looked at."""
    return [
        name
        for key, name in nodes.items()
        if (not host.keyring.has(item.id) if key == host.key else key not in item.hosts)
    ]


def _unreadable(found: Survey) -> list[Document]:
    return [
        {"kind": place.kind, "id": place.id, "name": place.name, "field": place.field, "key": key}
        for place, key in found.unreadable
    ]


def _note(call: Call) -> Answer:
    """Have the store know which of its keys this node has."""
    options((), call.given, "secrets_note")

    def work(tx: Transaction) -> Sequence[str]:
        here = {item.id for item in versions.read(tx) if call.host.keyring.has(item.id)}
        return () if call.check else versions.note(tx, call.host, here)

    new = call.store.transact(work)
    return {"changed": bool(new), "plan": [], "keys": list(new)}


def _rotate(call: Call) -> Answer:
    given = options(FIELDS, call.given, "secrets_rotation")
    found = rotation.survey(KINDS, call.store, call.host.keyring)
    if found.unreadable and not given["give_up"]:
        raise SecretError(
            f"this node does not have the key of {len(found.unreadable)} secrets: {_named(found)}",
            hint=f"{COPY}. If no node has it, pextra secrets rotate --give-up goes on without"
            " them; they must be set again",
        )
    if call.check:
        return told([_step("(known after apply)", "create", None)], diff=call.diff)
    target = call.store.transact(lambda tx: _target(tx, call))
    waiting = [] if given["at_once"] else _waiting(call, target)
    if waiting:
        step = _step(target.id, "create", {"state": State.NEXT.value})
        return {
            **told([step], diff=call.diff),
            "key": target.id,
            "waiting_for": waiting,
            "secrets": 0,
        }
    call.store.transact(lambda tx: _switch(tx, call, target))
    count = rotation.encrypt_again(KINDS, call.store, call.host, target, found.rows, call.progress)
    step = _step(target.id, "rotate", {"state": State.CURRENT.value, "secrets": count})

    def done(tx: Transaction) -> None:
        versions.mark(tx, target.id, State.CURRENT)
        call.audit(tx, [step])

    call.store.transact(done)
    left = rotation.survey(KINDS, call.store, call.host.keyring)
    return {
        **told([step], diff=call.diff),
        "key": target.id, "waiting_for": [], "secrets": count, "unreadable": _unreadable(left),
    }  # fmt: skip


def _named(found: Survey) -> str:
    texts = [f"{place.resource} ({place.field}, key {key})" for place, key in found.unreadable]
    more = f", and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(texts[:_NAMED]) + more


def _step(id: str, action: str, after: Shown) -> Step:
    return Step(_KIND, id, id, action, Phase.STORE, None, after)


def _target(tx: Transaction, call: Call) -> Key:
    """The key to encrypt with: that of a rotation that was begun, or a new one."""
    known = versions.read(tx)
    begun = [item for item in known if item.state in (State.FILLING, State.NEXT)]
    if begun:
        return call.host.keyring.get(begun[0].id)
    key = call.host.keyring.make(1 + max((item.version for item in known), default=0))
    versions.add(tx, key, State.NEXT, dt.datetime.now(dt.UTC))
    versions.note(tx, call.host, [key.id])
    call.audit(tx, [_step(key.id, "create", {"state": State.NEXT.value})])
    return key


def _waiting(call: Call, target: Key) -> list[str]:
    """The other nodes that are not known to have the key yet, unless it is used already."""

    def work(tx: Transaction) -> list[str]:
        (item,) = (item for item in versions.read(tx) if item.id == target.id)
        return _lacking(item, _nodes(tx), call.host) if item.state is State.NEXT else []

    return sorted(call.store.transact(work, read_only=True))


def _switch(tx: Transaction, call: Call, target: Key) -> None:
    """Have new secrets encrypted with the key from now on."""
    for item in versions.read(tx):
        if item.id == target.id and item.state is State.NEXT:
            versions.mark(tx, item.id, State.FILLING)
            step = _step(item.id, "use", {"state": State.FILLING.value})
            call.audit(tx, [step])
        elif item.id != target.id and item.state in (State.FILLING, State.CURRENT):
            versions.mark(tx, item.id, State.OLD)


def encrypt_plain(store: Store, host: Host, progress: Progress = SILENT) -> int:
    """Encrypt what was in the store before secrets were; the number of values.

    Raises:
        SecretError: This node does not have the cluster's key.
    """
    if not store.transact(versions.may_be_plain, read_only=True):
        return 0
    found, count = rotation.survey(KINDS, store, host.keyring), 0
    if found.plain:
        now = dt.datetime.now(dt.UTC)
        key = store.transact(lambda tx: versions.current(tx, host, now))
        count = rotation.encrypt_again(KINDS, store, host, key, found.rows, progress)
    store.transact(versions.none_is_plain)
    return count


def count_plain(store: Store, host: Host) -> int:
    """How many secrets are in the clear that were there before any were encrypted."""
    if not store.transact(versions.may_be_plain, read_only=True):
        return 0
    return rotation.survey(KINDS, store, host.keyring).plain


PROCEDURES = (
    Procedure("secrets_status", (), _status, module=False),
    Procedure("secrets_note", (), _note, module=False),
    Procedure("secrets_rotation", FIELDS, _rotate, module=False),
)
