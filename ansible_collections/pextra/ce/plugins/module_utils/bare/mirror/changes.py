# Copied from mirror/pextra_mirror/changes.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""aptly's mirrors, snapshots and publications as values, and the commands that bring them about.

Pure: what is there goes in, commands come out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, cast

from ansible_collections.pextra.ce.plugins.module_utils.bare.mirror.errors import Contradiction, Missing

Fields = Mapping[str, object]
"""One of the values below, whichever."""


class Mirror(TypedDict, total=False):
    """A mirror. One that is wanted has only the keys that are to be compared."""

    name: str
    archive_url: str
    distribution: str
    components: list[str]  # empty for all
    architectures: list[str]  # sorted
    filter: str  # a package query, empty for all packages
    filter_with_deps: bool
    with_sources: bool
    last_update: str | None  # in UTC; None for never


class Snapshot(TypedDict, total=False):
    """A snapshot, of a mirror or merged of others."""

    name: str
    mirror: str | None
    snapshots: list[str]  # sorted
    created: str | None  # in UTC


class Publication(TypedDict, total=False):
    """A publication. One that is wanted has only the keys that are to be compared."""

    prefix: str
    distribution: str
    components: dict[str, str]  # the snapshot of each
    architectures: list[str]  # sorted
    acquire_by_hash: bool
    origin: str
    label: str
    suite: str


@dataclass(frozen=True, slots=True)
class Change:
    """How a thing is, how it becomes, and aptly's commands in between.

    Attributes:
        before: None: it is not there.
        after: As far as that is known before the commands; None: it goes.
        commands: Words after ``aptly``, in order; none where nothing changes.
    """

    before: Fields | None
    after: Fields | None
    commands: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Indexes:
    """How a publication's indexes are written.

    Attributes:
        gpg_key: The key that signs them; None: they are not signed.
        contents: With Contents files.
        bz2: Compressed by bzip2 too.
        again: They are written also where the publication is as it should be.
    """

    gpg_key: str | None = None
    contents: bool = False
    bz2: bool = True
    again: bool = False


def mirror_change(
    there: Mirror | None,
    wanted: Mirror,
    *,
    keyring: Sequence[str] = (),
    force_components: bool = False,
) -> Change:
    """What brings a mirror about.

    Args:
        there: The mirror; None if there is none of that name.
        wanted: What it should be.
        keyring: Files with the keys that its source may sign with.
        force_components: Do not look whether the source has the components.

    Raises:
        Missing: It is new, and its address or distribution is not given.
        Contradiction: What is to change cannot be.
    """
    name = wanted["name"]
    given = {**wanted}
    if "archive_url" in wanted:
        given["archive_url"] = wanted["archive_url"].rstrip("/") + "/"
    if "architectures" in wanted:
        given["architectures"] = sorted(wanted["architectures"])
    keyrings = [f"-keyring={path}" for path in keyring]
    if there is None:
        for key in ("archive_url", "distribution"):
            if key not in given:
                raise Missing(f"{key} is required to create it", resource=f'mirror "{name}"')
        # All components and architectures are those that only the source knows.
        after = {"filter": "", "filter_with_deps": False, "with_sources": False, **given}
        forced = ["-force-components"] if force_components else []
        create = (
            "mirror", "create", *keyrings, *forced, *_mirror_flags(given), name,
            str(given["archive_url"]), wanted["distribution"], *wanted.get("components", []),
        )  # fmt: skip
        return Change(None, after, (create,))
    changed = _differing(there, given)
    for key in ("distribution", "components"):
        if key in changed:
            raise _cannot_become("mirror", name, key, there, changed)
    words = [f"-archive-url={changed['archive_url']}"] if "archive_url" in changed else []
    edit = ("mirror", "edit", *keyrings, *_mirror_flags(changed), *words, name)
    return Change(there, {**there, **changed}, (edit,) if changed else ())


def mirror_removal(there: Mirror | None, name: str, *, force: bool = False) -> Change:
    """What removes a mirror; with force also where snapshots are of it."""
    drop = ("mirror", "drop", *(["-force"] if force else []), name)
    return Change(there, None, (drop,) if there else ())


def snapshot_change(there: Snapshot | None, wanted: Snapshot) -> Change:
    """What brings a snapshot about: of a mirror, or of others with all versions of each package.

    Raises:
        Missing: It is new, and nothing says of what.
        Contradiction: It is one of something else.
    """
    name, resource = wanted["name"], f'snapshot "{wanted["name"]}"'
    mirror, merged = wanted.get("mirror"), sorted(wanted.get("snapshots") or [])
    if there is not None:
        if (mirror and there["mirror"] != mirror) or (merged and there["snapshots"] != merged):
            raise Contradiction(
                f"it is of {there['mirror'] or there['snapshots']}, not of {mirror or merged}",
                "A snapshot never changes: choose another name",
                resource=resource,
            )
        return Change(there, there)
    if not mirror and not merged:
        raise Missing("give mirror or snapshots to create it", resource=resource)
    after = Snapshot(name=name, mirror=mirror, snapshots=merged)
    if mirror:
        return Change(None, after, (("snapshot", "create", name, "from", "mirror", mirror),))
    return Change(None, after, (("snapshot", "merge", "-no-remove", name, *merged),))


def snapshot_removal(there: Snapshot | None, name: str, *, force: bool = False) -> Change:
    """What removes a snapshot; with force also where others were merged of it."""
    drop = ("snapshot", "drop", *(["-force"] if force else []), name)
    return Change(there, None, (drop,) if there else ())


def publication_change(there: Publication | None, wanted: Publication, indexes: Indexes) -> Change:
    """What brings a publication about: the first time published, then switched.

    Raises:
        Missing: It is new, and no component is given.
        Contradiction: What is to change cannot be.
    """
    prefix, distribution = wanted["prefix"], wanted["distribution"]
    name = f"{prefix}/{distribution}"
    given = {**wanted}
    if "architectures" in wanted:
        given["architectures"] = sorted(wanted["architectures"])
    components = wanted.get("components") or (there["components"] if there else {})
    if not components:
        raise Missing("components is required to create it", resource=f'publication "{name}"')
    common = ["-batch", f"-gpg-key={indexes.gpg_key}" if indexes.gpg_key else "-skip-signing"]
    common += [f"-component={','.join(components)}"]
    common += [] if indexes.contents else ["-skip-contents"]
    common += [] if indexes.bz2 else ["-skip-bz2"]
    if there is None:
        flags = [f"-{key}={given[key]}" for key in ("origin", "label", "suite") if key in given]
        if wanted.get("architectures"):
            flags.append(f"-architectures={','.join(sorted(wanted['architectures']))}")
        flags += ["-acquire-by-hash"] if wanted.get("acquire_by_hash", True) else []
        publish = ("publish", "snapshot", *common, *flags, f"-distribution={distribution}",
                   *components.values(), prefix)  # fmt: skip
        return Change(None, {"acquire_by_hash": True, **given}, (publish,))
    changed = _differing(there, given)
    fixed = sorted({*changed} - {"components"})
    if fixed or set(components) != set(there["components"]):
        key = fixed[0] if fixed else "components"
        raise _cannot_become("publication", name, key, there, given)
    switch = ("publish", "switch", *common, distribution, prefix, *components.values())
    return Change(there, {**there, **changed}, (switch,) if changed or indexes.again else ())


def publication_removal(
    there: Publication | None, prefix: str, distribution: str, *, force: bool = False
) -> Change:
    """What removes a publication; with force also where its files cannot be cleaned up."""
    drop = ("publish", "drop", *(["-force-drop"] if force else []), distribution, prefix)
    return Change(there, None, (drop,) if there else ())


def _mirror_flags(fields: Fields) -> list[str]:
    """The flags of `mirror create` and `mirror edit` for some fields."""
    found = []
    if architectures := fields.get("architectures"):
        found.append(f"-architectures={','.join(cast('list[str]', architectures))}")
    if "filter" in fields:
        found.append(f"-filter={fields['filter']}")
    for key in ("filter_with_deps", "with_sources"):
        if key in fields:
            found.append(f"-{key.replace('_', '-')}={str(fields[key]).lower()}")
    return found


def _differing(there: Fields, given: Fields) -> dict[str, object]:
    """What is given and is not so."""
    return {key: value for key, value in given.items() if there[key] != value}


def _cannot_become(kind: str, name: str, key: str, there: Fields, given: Fields) -> Contradiction:
    return Contradiction(
        f"{key} is {there[key]!r} and cannot become {given[key]!r}",
        f"Remove the {kind} and make it again",
        resource=f'{kind} "{name}"',
    )
