# SPDX-License-Identifier: Apache-2.0
"""What a node signs about audit logs: how far it saw all chains, and where one was pruned.

A record is a JSON object with the signer's public key and a signature, Ed25519 of the canonical
JSON of the rest. Keys and signatures are hexadecimal. How to sign is handed in: nothing here
loads a library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pextra.access.audit.canonical import canonical
from pextra.access.audit.chain import START, Head
from pextra.model.errors import InputError
from pextra.model.values import Document, Value

CHECKPOINT = "pextra-audit-checkpoint"
PRUNED = "pextra-audit-pruned"
Matches = Callable[[bytes, bytes, bytes], bool]
"""Whether a public key made a signature of a message."""


@dataclass(frozen=True, slots=True)
class State:
    """How a chain is, as a checkpoint says it.

    Attributes:
        head: Its end.
        key: The public key of the node whose chain it is, None where it has none yet.
    """

    head: Head
    key: str | None


def checkpoint(signer: str, key: str, at: str, states: Mapping[str, State]) -> Document:
    """A checkpoint that is not signed yet."""
    heads: Document = {
        chain: {"sequence": item.head.sequence, "hash": item.head.hash, "key": item.key}
        for chain, item in states.items()
    }
    return {"type": CHECKPOINT, "at": at, "by": signer, "key": key, "heads": heads}


def pruning(signer: str, key: str, at: str, chain: str, end: Head, before: str) -> Document:
    """A record, not signed yet, of the last row that was pruned."""
    return {
        "type": PRUNED, "at": at, "by": signer, "key": key, "chain": chain,
        "sequence": end.sequence, "hash": end.hash, "before": before,
    }  # fmt: skip


def signed(record: Document, sign: Callable[[bytes], bytes]) -> Document:
    """A record with its signature."""
    return {**record, "signature": sign(canonical(record)).hex()}


def is_signed(record: Mapping[str, Value], key: str, matches: Matches) -> bool:
    """Whether a record was signed with a key's private half."""
    rest = {name: value for name, value in record.items() if name != "signature"}
    try:
        signature = bytes.fromhex(str(record.get("signature")))
        return record.get("key") == key and matches(bytes.fromhex(key), signature, canonical(rest))
    except (ValueError, TypeError):
        return False


def states_of(record: Mapping[str, Value]) -> dict[str, State]:
    """The chains of a checkpoint.

    Raises:
        InputError: It is no checkpoint.
    """
    heads = record.get("heads")
    if record.get("type") != CHECKPOINT or not isinstance(heads, Mapping):
        raise InputError("it is no checkpoint of an audit log")
    found = {}
    for chain, item in heads.items():
        if not isinstance(item, Mapping) or not isinstance(item.get("sequence"), int):
            raise InputError(f"the checkpoint says nothing of the chain {chain}")
        key = item.get("key")
        head = Head(int(str(item["sequence"])), str(item["hash"]))
        found[str(chain)] = State(head, str(key) if key is not None else None)
    return found


def pruned_head(record: Mapping[str, Value] | None) -> Head:
    """What the first row of a chain follows that may have been pruned."""
    return Head(int(str(record["sequence"])), str(record["hash"])) if record else START


def merged(
    known: Mapping[str, State], now: Mapping[str, State], follows: Callable[[str, Head], bool]
) -> tuple[dict[str, State], list[str]]:
    """What a node says of all chains: never less than it said before.

    Args:
        known: What its last checkpoint said.
        now: What the store says.
        follows: Whether the store's chain still has the row that the last checkpoint saw.

    Returns:
        The states, and the chains that no longer have what was seen of them.
    """
    found, wrong = dict(known), list[str]()
    for chain, state in now.items():
        before, head = known.get(chain), state.head
        if before is not None and before.head != head:
            further = before.head.sequence < head.sequence
            if not further or not follows(chain, before.head):
                wrong.append(chain)
                head = before.head
        key = before.key if before is not None and before.key is not None else state.key
        found[chain] = State(head, key)
    wrong += [chain for chain in known if chain not in now]
    return found, sorted(wrong)
