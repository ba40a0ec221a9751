# SPDX-License-Identifier: Apache-2.0
"""Who asks, about what, and when and from where: what decisions look at, and rules can name.

Source of ``id``, ``env.day_of_week`` and ``env.time_of_day``: the platform's user guide, rules of
policies; the others are this platform's own.
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
import ipaddress
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Tags: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks, as decisions see it.

    Attributes:
        id: Its identifier, such as ``user-…``.
        name: Its user name.
        organization_id: The organization that it belongs to; None of the platform's own.
        roles: The names of its roles.
        tags: Its tags.
        root: It is a root user, whom policies do not bind.
    """

    id: str
    name: str
    organization_id: str | None
    roles: tuple[str, ...] = ()
    tags: Tags = field(default_factory=dict)
    root: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """What is asked about.

    Attributes:
        kind: The name of its kind, such as ``instance``.
        id: Its identifier. What is about to be made has the one that it will have; what has none
            at all is reached by patterns on its containers, and by ``*``.
        organization_id: The organization that it belongs to or is; None of the platform's own, such
            as the database or an organization that is about to be made, which only root may touch.
        containers: The identifiers of the datacenter, the cluster and the node that it is in, as
            far as it is in one. The organization need not be among them.
        name: Its name.
        owner: The identifier of the user who owns it.
        tags: Its tags.
        keys: What resource patterns are matched with: its identifier and those of what it is in; an
            empty one where there is none, so that ``*`` is everything.
    """

    kind: str
    id: str | None
    organization_id: str | None
    containers: tuple[str, ...] = ()
    name: str | None = None
    owner: str | None = None
    tags: Tags = field(default_factory=dict)
    keys: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        keys = (self.id, *self.containers, self.organization_id)
        known = tuple(dict.fromkeys(key for key in keys if key))
        object.__setattr__(self, "keys", known or ("",))


@dataclass(frozen=True, slots=True)
class Environment:
    """When, from where and through what somebody asks; None is not known.

    Attributes:
        moment: When, with its time zone.
        source_address: The address that it comes from.
        door: What it came through, such as ``ansible``, ``cli``, ``api``.
        day_of_week: The day of that moment in UTC: 0 is Sunday, 6 Saturday.
        time_of_day: Its time in UTC, ``hh:mm:ss``.
        address: The address as it is written canonically, IPv4 also where it is mapped into IPv6.
    """

    moment: dt.datetime | None = None
    source_address: str | None = None
    door: str | None = None

    day_of_week: int | None = field(init=False, repr=False, compare=False)
    time_of_day: str | None = field(init=False, repr=False, compare=False)
    address: str | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        day = time = None
        if self.moment is not None:
            if self.moment.tzinfo is None:
                raise ValueError("a moment of a decision needs its time zone")
            moment = self.moment.astimezone(dt.UTC)
            day, time = moment.isoweekday() % 7, f"{moment:%H:%M:%S}"
        object.__setattr__(self, "day_of_week", day)
        object.__setattr__(self, "time_of_day", time)
        address = _canonical(self.source_address) if self.source_address else None
        object.__setattr__(self, "address", address)


@functools.lru_cache(1024)
def _canonical(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


class Type(enum.Enum):
    """What a value of a rule is; the values are how messages call it."""

    TEXT = "a text"
    NUMBER = "a number"
    LIST = "a list"
    UNKNOWN = "unknown"


AttributeValue: TypeAlias = "str | float | Collection[str] | None"
"""What an attribute is; None where it is not known."""
Get: TypeAlias = Callable[[Subject, Resource, Environment], AttributeValue]


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that rules can name.

    Attributes:
        type: What its values are.
        get: Its value in a case.
        doc: What people read of it.
    """

    type: Type
    get: Get
    doc: str


_TAGS = "The names of {} tags, which ``includes`` looks into; ``{}.tags.NAME`` is one's value."

ATTRIBUTES: Mapping[str, Attribute] = {
    "id": Attribute(Type.TEXT, lambda _s, r, _e: r.id, "The identifier of the resource."),
    "resource.id": Attribute(Type.TEXT, lambda _s, r, _e: r.id, "The same."),
    "resource.kind": Attribute(Type.TEXT, lambda _s, r, _e: r.kind, "Its kind, such as instance."),
    "resource.name": Attribute(Type.TEXT, lambda _s, r, _e: r.name, "Its name."),
    "resource.organization_id": Attribute(
        Type.TEXT, lambda _s, r, _e: r.organization_id, "The identifier of its organization."
    ),
    "resource.owner": Attribute(
        Type.TEXT, lambda _s, r, _e: r.owner, "The identifier of the user who owns it."
    ),
    "resource.tags": Attribute(
        Type.LIST, lambda _s, r, _e: r.tags, _TAGS.format("its", "resource")
    ),
    "principal.id": Attribute(Type.TEXT, lambda s, _r, _e: s.id, "The identifier of who asks."),
    "principal.name": Attribute(Type.TEXT, lambda s, _r, _e: s.name, "The user name of who asks."),
    "principal.organization_id": Attribute(
        Type.TEXT, lambda s, _r, _e: s.organization_id, "The identifier of its organization."
    ),
    "principal.roles": Attribute(
        Type.LIST,
        lambda s, _r, _e: s.roles,
        "The names of its roles, which ``includes`` looks into.",
    ),
    "principal.tags": Attribute(
        Type.LIST, lambda s, _r, _e: s.tags, _TAGS.format("its", "principal")
    ),
    "env.day_of_week": Attribute(
        Type.NUMBER, lambda _s, _r, e: e.day_of_week, "The day in UTC, 0 is Sunday and 6 Saturday."
    ),
    "env.time_of_day": Attribute(
        Type.TEXT, lambda _s, _r, e: e.time_of_day, "The time in UTC, hh:mm:ss."
    ),
    "env.source_address": Attribute(
        Type.TEXT, lambda _s, _r, e: e.address, "The IP address that the request comes from."
    ),
    "env.door": Attribute(
        Type.TEXT, lambda _s, _r, e: e.door, "What it came through, such as ansible, api or cli."
    ),
}
"""Every attribute. The tags of a resource and of who asks are there besides, each by its name."""


def attribute(name: str) -> Attribute | None:
    """The attribute that a rule names, a tag's included; None where there is none."""
    found = ATTRIBUTES.get(name)
    if found is None:
        family, separator, tag = name.partition(".tags.")
        if separator and family == "resource":
            return Attribute(Type.TEXT, lambda _s, r, _e: r.tags.get(tag), "")
        if separator and family == "principal":
            return Attribute(Type.TEXT, lambda s, _r, _e: s.tags.get(tag), "")
    return found
