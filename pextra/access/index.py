# SPDX-License-Identifier: Apache-2.0
"""The statements of policies, found by action and by resource without asking each of them.

Names without wildcards are looked up. So are the beginnings of patterns, in one table for each
length that the beginning of some pattern has. Only patterns with a wildcard elsewhere are tried,
and of these those whose beginning fits. What belongs to an action is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from pextra.access import rules
from pextra.access.attributes import Environment, Resource, Subject
from pextra.access.patterns import Pattern
from pextra.access.rules import Rule
from pextra.access.statements import Effect, Policy, Statement

Case: TypeAlias = tuple[Subject, Resource, Environment]
_REMEMBERED = 1024
_T = TypeVar("_T")
_LAST = 1 << 62
"""Behind all statements."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A statement where it is.

    Attributes:
        order: Its place among all statements of all policies.
        policy: The name of its policy.
        number: Its number there, from 1.
        statement: Itself.
        rule: Its rule; None without one.
    """

    order: int
    policy: str
    number: int
    statement: Statement
    rule: Rule | None

    def matches(self, known: dict[str, bool | None], *case: *Case) -> bool:
        """Whether its rule lets it match: one that is unknown does if the statement denies.

        Args:
            known: What the rules were found to be in this case, by their texts; it is added to.
            case: Who asks, about what, when and from where.
        """
        if self.rule is None:
            return True
        text = self.rule.text
        if text not in known:
            known[text] = self.rule.holds(*case)
        found = known[text]
        return self.statement.effect is Effect.DENY if found is None else found


class _Table(Generic[_T]):
    """Values by patterns; one value for each pattern."""

    def __init__(self) -> None:
        self.literals: dict[str, _T] = {}
        self.beginnings: tuple[tuple[int, dict[str, list[tuple[Pattern, _T]]]], ...] = ()
        self._by_length: dict[int, dict[str, list[tuple[Pattern, _T]]]] = {}

    def add(self, text: str, value: _T) -> None:
        """Put a value under a pattern that is not there yet."""
        pattern = Pattern(text)
        if pattern.literal:
            self.literals[text] = value
            return
        heads = self._by_length.setdefault(len(pattern.head), {})
        heads.setdefault(pattern.head, []).append((pattern, value))
        self.beginnings = tuple(self._by_length.items())

    def find(self, name: str) -> list[_T]:
        """The values of all patterns that a name is one of."""
        literal = self.literals.get(name)
        found = [] if literal is None else [literal]
        for length, heads in self.beginnings:
            patterns = heads.get(name[:length])
            if patterns is not None:
                for pattern, value in patterns:
                    if pattern.prefix or pattern.matches(name):
                        found.append(value)
        return found


def _table(patterns: Iterable[tuple[str, Entry]]) -> _Table[list[Entry]]:
    """Entries by patterns, in their order."""
    table, lists = _Table[list[Entry]](), dict[str, list[Entry]]()
    for text, entry in patterns:
        entries = lists.get(text)
        if entries is None:
            entries = lists[text] = []
            table.add(text, entries)
        if not entries or entries[-1] is not entry:
            entries.append(entry)
    return table


class Index:
    """The statements of one effect. It does not change, and threads can share it."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        by_action: dict[str, list[Entry]] = {}
        for entry in entries:
            for action in entry.statement.actions:
                by_action.setdefault(action, []).append(entry)
        self._actions = _Table[_Table[list[Entry]]]()
        for action, those in by_action.items():
            self._actions.add(
                action,
                _table((text, entry) for entry in those for text in entry.statement.resources),
            )
        self._found: dict[str, list[_Table[list[Entry]]]] = {}

    def first(
        self, action: str, subject: Subject, resource: Resource, environment: Environment
    ) -> Entry | None:
        """The first statement that matches, or None."""
        tables = self._found.get(action)
        if tables is None:
            tables = self._of_action(action)
        best, order = None, _LAST
        known: dict[str, bool | None] = {}
        for table in tables:
            for key in resource.keys:
                for entries in table.find(key):
                    for entry in entries:
                        if entry.order >= order:
                            break
                        if entry.rule is None or entry.matches(
                            known, subject, resource, environment
                        ):
                            best, order = entry, entry.order
                            break
        return best

    def _of_action(self, action: str) -> list[_Table[list[Entry]]]:
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        found = self._found[action] = self._actions.find(action)
        return found


def indexed(policies: Iterable[Policy]) -> tuple[Index, Index]:
    """The denying and the allowing statements of all policies that are enabled."""
    entries = [
        (policy.name, number, statement)
        for policy in policies
        if policy.enabled
        for number, statement in enumerate(policy.statements, 1)
    ]
    those = [
        Entry(order, name, number, item, rules.stored(item.rule) if item.rule else None)
        for order, (name, number, item) in enumerate(entries)
    ]
    denies = [entry for entry in those if entry.statement.effect is Effect.DENY]
    allows = [entry for entry in those if entry.statement.effect is Effect.ALLOW]
    return Index(denies), Index(allows)
