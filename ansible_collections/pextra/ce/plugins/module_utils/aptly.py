# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules of aptly share: options in, one change, result or failure out.

aptly is read and changed by pextra-mirror's own code, of which the collection has a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.pextra.ce.plugins.module_utils.bare.mirror.aptly import Aptly
from ansible_collections.pextra.ce.plugins.module_utils.bare.mirror.changes import (
    Change,
    Indexes,
    Mirror,
    Publication,
    Snapshot,
    mirror_change,
    mirror_removal,
    publication_change,
    publication_removal,
    snapshot_change,
    snapshot_removal,
)
from ansible_collections.pextra.ce.plugins.module_utils.bare.mirror.errors import (
    Contradiction,
    MirrorError,
    Missing,
    NotInstalled,
)
from ansible_collections.pextra.ce.plugins.module_utils.bare.model.errors import (
    ConflictError,
    HostError,
    InputError,
    PextraError,
    UnsupportedError,
)

SPEC: dict[str, Any] = {"config": {"type": "path"}, "gnupg_home": {"type": "path"}}
"""Options of every module."""

Options = Mapping[str, Any]
Value = TypeVar("Value", Mirror, Snapshot, Publication)


def mirror(current: Mirror | None, options: Options) -> Change:
    """What the options make of a mirror; errors as those of ``mirror_change``."""
    if options["state"] == "absent":
        return mirror_removal(current, options["name"], force=options["force"])
    wanted = cast(Mirror, _given(options, Mirror))
    return mirror_change(current, wanted, keyring=options["keyring"] or ())


def snapshot(current: Snapshot | None, options: Options) -> Change:
    """What the options make of a snapshot; errors as those of ``snapshot_change``."""
    if options["state"] == "absent":
        return snapshot_removal(current, options["name"], force=options["force"])
    return snapshot_change(current, cast(Snapshot, _given(options, Snapshot)))


def publication(current: Publication | None, options: Options) -> Change:
    """What the options make of a publication; errors as those of ``publication_change``."""
    if options["state"] == "absent":
        return publication_removal(current, options["prefix"], options["distribution"])
    wanted = cast(Publication, _given(options, Publication))
    indexes = Indexes(gpg_key=options["gpg_key"], contents=options["contents"])
    return publication_change(current, wanted, indexes)


def _given(options: Options, value: type) -> dict[str, Any]:
    """The options that a value has and the task gives."""
    keys = value.__annotations__
    return {key: item for key, item in options.items() if key in keys and item is not None}


def run(
    name: str,
    spec: Mapping[str, Any],
    read: Callable[[Aptly, Options], Value | None],
    change_of: Callable[[Value | None, Options], Change],
) -> None:
    """The whole of a module that manages one thing of aptly's.

    Args:
        name: What it is called in the result.
        spec: Its options.
        read: Reads the thing that the options name.
        change_of: Compares it with the options.
    """
    module = AnsibleModule(argument_spec={**spec, **SPEC}, supports_check_mode=True)
    aptly = aptly_of(module)
    options = {key: module.params[key] for key in spec}
    try:
        change = change_of(read(aptly, options), options)
        after: object = change.after
        if not module.check_mode:
            aptly.carry_out(change)
            after = read(aptly, options)
    except MirrorError as error:
        fail(module, error)
    result: dict[str, Any] = {"changed": bool(change.commands), name: after}
    if module._diff:
        result["diff"] = {"before": change.before or "", "after": change.after or ""}
    module.exit_json(**result)


def aptly_of(module: AnsibleModule) -> Aptly:
    """The aptly that a module's options name."""
    return Aptly(module.params["config"], module.params["gnupg_home"])


def fail(module: AnsibleModule, error: MirrorError) -> None:
    """End the task, with the error as every module of the collection returns it."""
    told = _told(error)
    module.fail_json(msg=str(told), code=told.code, errors=[told.as_dict()])


def _told(error: MirrorError) -> PextraError:
    resource, hint = error.resource or None, error.hint or None
    if isinstance(error, Missing):
        return InputError(error.message, resource=resource, hint=hint)
    if isinstance(error, Contradiction):
        return ConflictError(error.message, resource=resource, hint=hint)
    if isinstance(error, NotInstalled):
        return UnsupportedError(error.message, hint=hint)
    return HostError(error.brief, hint=hint)
