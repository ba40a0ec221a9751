# SPDX-License-Identifier: Apache-2.0
"""Every action that there is, made from the table of kinds; policies name them or patterns of them.

An action is ``kind.verb``, or ``kind.part.verb`` for a part of a kind, such as
``cluster.joinkey.read``. Each kind that users name has ``list``, ``read``, ``create``, ``update``
and ``delete``, and a verb for each of its further states: ``instance.start``. Source of the shape,
of the names of parts and of ``user.import``: the platform's user guide, policies.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pextra.access.patterns import WILDCARD, Pattern
from pextra.model import kinds
from pextra.model.errors import InputError
from pextra.model.ids import LENGTH, is_id
from pextra.model.spec import KindSpec

_VERBS = {
    "list": "See which {kinds} there are.",
    "read": "See all of {a_kind}, but for its secrets.",
    "create": "Make {a_kind}.",
    "update": "Change {a_kind}.",
    "delete": "Remove {a_kind}.",
}
_STATES = {
    "attached": ("attach", "Attach {a_kind}."),
    "detached": ("detach", "Detach {a_kind}."),
    "killed": ("kill", "End {a_kind} at once."),
    "restarted": ("restart", "Restart {a_kind}."),
    "reverted": ("revert", "Go back to {a_kind}."),
    "started": ("start", "Start {a_kind}."),
    "stopped": ("stop", "Stop {a_kind}."),
}
_USUAL = ("present", "absent")
_PARTS: Mapping[str, Mapping[str, str]] = {
    kinds.ORGANIZATION: {
        "audit.export": "Take the audit log of an organization out of the platform.",
        "audit.list": "See the audit log of an organization.",
        "audit.verify": "Check that nothing of an audit log was changed.",
        "lockouts.list": "See which users are locked out, and why.",
    },
    kinds.CLUSTER: {
        "events.stream": "Follow what happens in a cluster.",
        "hardware.read": "See what the nodes of a cluster have together.",
        "joinkey.read": "See the key with which a node joins a cluster.",
        "licensing.read": "See whether a cluster complies with its licences.",
        "secrets.read": "See with which keys the secrets of a cluster are encrypted.",
        "secrets.update": "Make a new key for the secrets of a cluster, and encrypt them again.",
    },
    kinds.NODE: {
        "disks.update": "Change the system's disk of a node.",
        "files.update": "Write the files that a node keeps for the platform.",
        "hardware.read": "See the hardware of a node.",
        "network.read": "See the network cards of a node.",
        "reconcile": "Make a node again what the store says.",
        "secrets.update": "Note which keys a node has.",
        "updates.read": "See which updates a node could have.",
    },
    kinds.USER: {
        "export": "Take the users of an organization out of the platform.",
        "import": "Make or change many users at once.",
        "sessions.delete": "End the sessions of a user.",
        "unlock": "Lift the lockout of a user.",
    },
    kinds.POLICY: {"test": "Ask what policies decide."},
    kinds.AI_PROVIDER: {"test": "Ask an AI provider which models it has."},
    kinds.STORAGE_POOL: {"propagate": "Bring storage pools to a node."},
    kinds.INSTANCE: {
        "backup": "Back an instance up.",
        "console.open": "Open the screen or the console of an instance.",
        "restore": "Restore an instance from a backup.",
    },
}
_PLATFORM = {
    "cockroach_license.read": "See the licence of the database.",
    "cockroach_license.update": "Change the licence of the database.",
    "database.prune": "Remove old rows of the audit log.",
    "database.read": "See how the store is.",
    "database.update": "Make or migrate the store.",
}

OF_PROCEDURE: Mapping[str, str] = {
    "audit_info": "organization.audit.list",
    "audit_prune": "database.prune",
    "audit_verify": "organization.audit.verify",
    "cockroach_license": "cockroach_license.update",
    "cockroach_license_info": "cockroach_license.read",
    "database": "database.update",
    "database_info": "database.read",
    "instance_backup": "instance.backup",
    "nic_info": "node.network.read",
    "node_files": "node.files.update",
    "policy_decision_info": "policy.test",
    "reconcile": "node.reconcile",
    "secrets_note": "node.secrets.update",
    "secrets_rotation": "cluster.secrets.update",
    "secrets_status": "cluster.secrets.read",
    "storage_pool_propagation": "storage_pool.propagate",
    "system_disk": "node.disks.update",
    "system_files": "node.files.update",
    "upgrade_info": "node.updates.read",
}
"""What a call is that is about no single resource, by its name.

``instance_backup`` is ``instance.restore`` where it restores. A manifest is what its resources are.
"""


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done.

    Attributes:
        name: Such as ``instance.start``.
        doc: What it is, a sentence.
    """

    name: str
    doc: str


def of_state(kind: str, state: str) -> str | None:
    """The action that asks for a state besides ``present`` and ``absent``; None for these two.

    Raises:
        KeyError: No action has been given to that state.
    """
    return None if state in _USUAL else f"{kind}.{_STATES[state][0]}"


class Actions:
    """All actions of a platform with some kinds, and what identifiers begin with there."""

    def __init__(self, specs: Iterable[KindSpec]) -> None:
        """Make them.

        Args:
            specs: The kinds' specifications; those of parts of other kinds have no actions.

        Raises:
            KeyError: A kind has a state that has no action here.
        """
        found, prefixes = dict(_PLATFORM), set[str]()
        self._prefix_of: dict[str, str] = {}
        for spec in specs:
            prefixes.add(spec.prefix)
            if spec.owned_by is None:
                found |= _of_kind(spec)
                self._prefix_of[spec.name] = spec.prefix
        self.all: Mapping[str, Action] = {name: Action(name, found[name]) for name in sorted(found)}
        self.prefixes = frozenset(prefixes)
        self._is_known = functools.lru_cache(4096)(self._find)

    def matching(self, pattern: str) -> tuple[str, ...]:
        """The names that a pattern is."""
        matches = Pattern(pattern).matches
        return tuple(name for name in self.all if matches(name))

    def check_action(self, pattern: str) -> None:
        """See that a pattern is at least one action.

        Raises:
            InputError: It is none; the hint names the nearest.
        """
        if not self._is_known(pattern):
            raise InputError(f"{pattern!r} is no action", hint=self.nearest(pattern))

    def check_resource(self, pattern: str) -> None:
        """See that a pattern of resources begins as identifiers do.

        Raises:
            InputError: No identifier begins like that; the hint names the nearest that does.
        """
        head = Pattern(pattern).head
        prefix, separator, _body = head.partition("-")
        if separator and prefix not in self.prefixes:
            own, known = self._prefix_of.get(prefix), sorted(self.prefixes)
            near = [own] if own else difflib.get_close_matches(prefix, known, 1, 0.4)
            raise InputError(
                f"no identifier begins with {prefix + '-'!r}, as in {pattern!r}",
                hint=f"Did you mean {near[0]}-{pattern[len(prefix) + 1 :]}?"
                if near
                else f"Possible are: {', '.join(sorted(self.prefixes))}",
            )
        if head == pattern and not is_id(prefix, pattern):
            raise InputError(
                f"{pattern!r} is no identifier",
                hint=f"One is such as {prefix if separator else 'org'}- and {LENGTH} characters;"
                " patterns are possible, such as org-*",
            )

    def nearest(self, name: str) -> str:
        """A hint for who wrote an action that there is not."""
        kind, _separator, verb = name.partition(".")
        verbs = [item.partition(".")[2] for item in self.all if item.startswith(f"{kind}.")]
        if verbs:
            near = difflib.get_close_matches(verb, verbs, 1)
            if near:
                return f"Did you mean {kind}.{near[0]}?"
            return f"Of {kind} there are: {', '.join(verbs)}"
        kinds_there = sorted({item.partition(".")[0] for item in self.all})
        several = [f"{item}.{WILDCARD}" for item in kinds_there]
        near = difflib.get_close_matches(name, several if WILDCARD in name else self.all, 1)
        if near:
            return f"Did you mean {near[0]}?"
        return "An action is a kind and a verb, such as instance.read"

    def _find(self, pattern: str) -> bool:
        return pattern in self.all or bool(self.matching(pattern))


def _of_kind(spec: KindSpec) -> dict[str, str]:
    """The actions of a kind, and what each is."""
    noun = spec.name.replace("_", " ").replace("ai ", "AI ")
    words = {"kinds": _plural(noun), "a_kind": f"an {noun}" if noun[0] in "aAeio" else f"a {noun}"}
    further = dict(_STATES[state] for state in spec.states if state not in _USUAL)
    found = {verb: text.format(**words) for verb, text in {**_VERBS, **further}.items()}
    found |= _PARTS.get(spec.name, {})
    return {f"{spec.name}.{verb}": text for verb, text in found.items()}


def _plural(noun: str) -> str:
    if noun.endswith("y"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("ch") else f"{noun}s"
