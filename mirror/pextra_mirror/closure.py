"""Which packages of an index are needed, with all that they depend on.

aptly can follow dependencies too, but takes no package that provides a name in a version, as
Debian 12's libpam-systemd does for default-logind, without which libvirt cannot be installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

BASE = ("required", "important")
_PRIORITIES = ("required", "important", "standard", "optional", "extra")


class Index:
    """The packages of one architecture, by name and by what they provide.

    Args:
        packages: The fields of each.
    """

    def __init__(self, packages: Iterable[Mapping[str, str]]) -> None:
        self._packages: dict[str, list[Mapping[str, str]]] = {}
        self._providers: dict[str, list[tuple[int, str]]] = {}
        for package in packages:
            name = package["Package"]
            self._packages.setdefault(name, []).append(package)
            priority = package.get("Priority", "optional")
            rank = _PRIORITIES.index(priority) if priority in _PRIORITIES else len(_PRIORITIES)
            for virtual in names(package.get("Provides", "")):
                self._providers.setdefault(virtual, []).append((rank, name))

    def base(self) -> set[str]:
        """Names of the packages that every system has."""
        return {
            name for name, packages in self._packages.items()
            if any(package.get("Priority") in BASE for package in packages)
        }  # fmt: skip

    def found(self, name: str) -> str | None:
        """The package of a name, or the most usual of those that provide it; None without one."""
        if name in self._packages:
            return name
        return min(self._providers[name])[1] if name in self._providers else None

    def first(self, alternatives: Iterable[str]) -> list[str]:
        """The package of the first alternative that there is; none without any."""
        return [name for item in alternatives if (name := self.found(item))][:1]

    def closure(self, roots: Iterable[Sequence[str]], *, recommends: bool) -> set[str]:
        """Names of the packages that meet the roots, and of all that those need.

        Of alternatives the first that there is counts, which is what apt prefers. What the index
        does not have at all is left out.

        Args:
            roots: Alternatives that are names of packages, or of what packages provide.
            recommends: Follow recommendations too.
        """
        fields = ("Pre-Depends", "Depends", *(("Recommends",) if recommends else ()))
        closed: set[str] = set()
        found = [name for alternatives in roots for name in self.first(alternatives)]
        while found:
            name = found.pop()
            if name in closed:
                continue
            closed.add(name)
            for package in self._packages[name]:
                for alternatives in groups(package.get(field, "") for field in fields):
                    found += self.first(alternatives)
        return closed


def names(text: str) -> list[str]:
    """The names in a list of relations, without versions, architectures and alternatives."""
    return [re.split(r"[\s(:\[]", item.strip())[0] for item in text.split(",") if item.strip()]


def groups(fields: Iterable[str]) -> Iterator[list[str]]:
    """What is depended on: the names that each dependency could be met by."""
    for field in fields:
        for group in filter(str.strip, field.split(",")):
            yield names(group.replace("|", ","))
