# SPDX-License-Identifier: Apache-2.0
"""Random policies and requests, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.access_sides import Cedar, Ours, Request
from pextra.access.attributes import Resource
from pextra.access.statements import Effect, Policy, Statement

_VERBS = ("list", "read", "create", "update", "delete", "start", "joinkey.read")
_KINDS = ("instance", "volume", "cluster", "node")
_PREFIXES = {"instance": "inst", "volume": "vol", "cluster": "cls", "node": "node"}
_ACTIONS = tuple(f"{kind}.{verb}" for kind in _KINDS for verb in _VERBS)
_ACTION_PATTERNS = (
    "*", "*.*", "*.read", "*.list", "*read*", "*.*.read", "c*.*y.r*d", "**", "ins*", "*e.start",
    *(f"{kind}.*" for kind in _KINDS),
)  # fmt: skip
_BODIES = ("a", "b", "ab", "ba", "a-b", "A", "a_a")
REQUESTS = 10
"""Asked of each set of policies."""


def _key(chance: random.Random, prefix: str) -> str:
    return f"{prefix}-{chance.choice(_BODIES)}"


def _pattern(chance: random.Random) -> str:
    """Something that reaches some resources, or none."""
    prefix = chance.choice(("inst", "vol", "cls", "node", "dc", "org"))
    whole = _key(chance, prefix)
    return chance.choice((
        whole, whole, whole, f"{prefix}-*", f"{whole}*", "*", f"*{whole[-1]}", f"{whole[0]}*-*a",
        f"*-{whole[-1]}*", f"{prefix}*{whole[-1]}",
    ))  # fmt: skip


def _some(chance: random.Random, most: int) -> range:
    return range(chance.randint(1, most))


def policies(chance: random.Random) -> list[Policy]:
    """Up to three policies of up to six statements, some of them disabled."""

    def statement() -> Statement:
        return Statement(
            Effect.DENY if chance.random() < 0.25 else Effect.ALLOW,
            tuple(
                chance.choice(_ACTIONS if chance.random() < 0.5 else _ACTION_PATTERNS)
                for _ in _some(chance, 3)
            ),
            tuple(_pattern(chance) for _ in _some(chance, 3)),
        )

    return [
        Policy(
            f"p{number}",
            tuple(statement() for _ in range(chance.randint(0, 6))),
            enabled=chance.random() < 0.9,
        )
        for number in range(chance.randint(0, 3))
    ]


def request(chance: random.Random) -> Request:
    """An action on something that is in a node, a cluster or a datacenter, or in nothing."""
    kind = chance.choice(_KINDS)
    chain = [_key(chance, prefix) for prefix in ("dc", "cls", "node")][: chance.randint(0, 3)]
    key = _key(chance, _PREFIXES[kind])
    chain = [item for item in chain if item != key]
    resource = Resource(kind, key, "org-1", tuple(chain))
    return Request(chance.choice(_ACTIONS), resource)


def differences(count: int, seed: int) -> Iterator[str]:
    """What this tree and Cedar decide differently in so many random cases.

    Compared are the decision and the statement that it is due to: of those that Cedar names, which
    are all that match, the first.
    """
    chance = random.Random(seed)  # noqa: S311 - cases, not secrets
    ours, cedar = Ours(), Cedar()
    for case in range(count):
        if case % REQUESTS == 0:
            given = policies(chance)
            ours.prepare(given)
            cedar.prepare(given)
        asked = request(chance)
        found, expected = ours.verdict(asked), cedar.verdict(asked)
        if found != expected:
            shown = [item.as_dict() for item in given]
            yield f"case {case} of seed {seed}: {found}, Cedar {expected}; {asked} of {shown}"
