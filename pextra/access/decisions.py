# SPDX-License-Identifier: Apache-2.0
"""Who may do what: any statement that denies, else the first that allows, else it is denied.

Source of this order, and of the root user whom policies do not bind: the platform's user guide,
policies. Before it comes what no policy can give: another organization's resources, and what
belongs to no organization, are for root alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pextra.access.attributes import Environment, Resource, Subject
from pextra.access.index import Entry, indexed
from pextra.access.statements import Policy, Statement


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided.

    Attributes:
        allowed: Whether it may be done.
        why: What decided, such as ``statement 2 of the policy "operator" allows it``. It is for the
            audit log and for those who may read policies; who asked learns what ``hidden`` says.
        policy: The name of the policy that decided; None where none did.
        number: The number of the statement in it, from 1.
        statement: The statement.
        hidden: The resource is to look as if it did not exist, since it is not of the subject's
            organization.
    """

    allowed: bool
    why: str
    policy: str | None = None
    number: int | None = None
    statement: Statement | None = None
    hidden: bool = False


_ROOT = Decision(True, "policies do not bind root")
_NONE = Decision(False, "no statement allows it")
_FOREIGN = Decision(False, "it is of another organization", hidden=True)
_PLATFORM = Decision(False, "it is of no organization, and only root may touch it")


class PolicySet:
    """Policies, ready to be asked. It does not change, and threads can share it.

    Making one takes some microseconds a statement, and asking it a few: keep it as long as none of
    its policies changes.
    """

    def __init__(self, policies: Iterable[Policy]) -> None:
        """Prepare policies, which are asked in the order given; disabled ones are left out."""
        self._denies, self._allows = indexed(policies)
        self._decisions: dict[int, Decision] = {}

    def decide(
        self, action: str, subject: Subject, resource: Resource, environment: Environment
    ) -> Decision:
        """What the policies say, and nothing else: neither root nor organizations count here."""
        case = subject, resource, environment
        entry = self._denies.first(action, *case)
        if entry is not None:
            return self._decision(entry, "denies", *case)
        entry = self._allows.first(action, *case)
        return _NONE if entry is None else self._decision(entry, "allows", *case)

    def _decision(
        self,
        entry: Entry,
        verb: str,
        subject: Subject,
        resource: Resource,
        environment: Environment,
    ) -> Decision:
        found = self._decisions.get(entry.order)
        if found is not None:
            return found
        why = f'statement {entry.number} of the policy "{entry.policy}" {verb} it'
        rule = entry.rule
        if rule is not None and rule.holds(subject, resource, environment) is None:
            names = (*rule.unknown(subject, resource, environment), *rule.strange)
            why += f", since its rule looks at what is not known: {', '.join(dict.fromkeys(names))}"
        found = Decision(verb == "allows", why, entry.policy, entry.number, entry.statement)
        if rule is None:
            self._decisions[entry.order] = found
        return found


NO_POLICIES = PolicySet(())


@dataclass(frozen=True, slots=True)
class Rights:
    """Who asks, and the policies that this is decided by.

    Attributes:
        subject: Who asks.
        policies: Those of its roles.
        limit: Those of the token that it came with, which have to allow it too, and bind root as
            well; None where nothing narrows it.
    """

    subject: Subject
    policies: PolicySet = NO_POLICIES
    limit: PolicySet | None = None


def may(rights: Rights, action: str, resource: Resource, environment: Environment) -> Decision:
    """Whether somebody may do something.

    Args:
        rights: Who asks, with its policies.
        action: What, such as ``instance.start``; see ``actions``.
        resource: About what.
        environment: When and from where.

    Returns:
        The decision, and the statement that it is due to.
    """
    subject = rights.subject
    if subject.root:
        decision = _ROOT
    elif resource.organization_id is None:
        return _PLATFORM
    elif resource.organization_id != subject.organization_id:
        return _FOREIGN
    else:
        decision = rights.policies.decide(action, subject, resource, environment)
    if rights.limit is None or not decision.allowed:
        return decision
    narrowed = rights.limit.decide(action, subject, resource, environment)
    return decision if narrowed.allowed else narrowed
