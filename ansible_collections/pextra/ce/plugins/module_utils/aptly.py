# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aptly's mirrors, snapshots and publications: read, compared, and changed by its command line."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.pextra.ce.plugins.module_utils.bare.model.errors import (
    ConflictError,
    HostError,
    InputError,
    PextraError,
    UnsupportedError,
)

SPEC: dict[str, Any] = {"config": {"type": "path"}, "gnupg_home": {"type": "path"}}
"""Options of every module."""

Fields = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What a task does: how the thing is, how it becomes, and aptly's commands in between."""

    before: Fields | None
    after: Fields | None
    commands: tuple[tuple[str, ...], ...] = ()


class Aptly:
    """aptly with one configuration and one key store.

    Args:
        config: Its configuration file; None for its own default.
        gnupg_home: The folder of keys; None for gpg's own default.
    """

    def __init__(self, config: str | None = None, gnupg_home: str | None = None) -> None:
        self._argv = ["aptly", *([f"-config={config}"] if config else [])]
        self._env = {**os.environ, "LC_ALL": "C.UTF-8"}
        if gnupg_home:
            self._env["GNUPGHOME"] = gnupg_home

    def call(self, *words: str) -> str:
        """What a command prints.

        Raises:
            UnsupportedError: aptly is not installed.
            HostError: It failed.
        """
        try:
            done = subprocess.run(
                [*self._argv, *words],
                env=self._env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                check=False,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise UnsupportedError("aptly is not installed", hint="apt install aptly") from error
        if done.returncode != 0:
            lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
            errors = [line for line in lines if line.startswith("ERROR: ")]
            said = (errors or lines or ["it said nothing"])[-1].removeprefix("ERROR: ")
            raise HostError(f"aptly {' '.join(words[:2])} failed: {said}")
        return done.stdout

    def names(self, kind: str) -> list[str]:
        """Names of all mirrors or snapshots, sorted."""
        return sorted(self.call(kind, "list", "-raw").split())

    def mirror(self, name: str) -> Fields | None:
        """A mirror, None if there is none of that name."""
        if name not in self.names("mirror"):
            return None
        there = json.loads(self.call("mirror", "show", "-json", name))
        return {
            "name": name,
            "archive_url": there["ArchiveRoot"],
            "distribution": there["Distribution"],
            "components": there["Components"] or [],
            "architectures": sorted(there["Architectures"] or []),
            "filter": there["Filter"],
            "filter_with_deps": there["FilterWithDeps"],
            "with_sources": there["DownloadSources"],
            "last_update": moment(there["LastDownloadDate"]),
        }

    def snapshot(self, name: str) -> Fields | None:
        """A snapshot, None if there is none of that name."""
        if name not in self.names("snapshot"):
            return None
        there = json.loads(self.call("snapshot", "show", "-json", name))
        merged = [item["Name"] for item in there.get("Snapshots") or []]
        mirrors = [item["Name"] for item in there.get("RemoteRepos") or []]
        return {
            "name": name,
            "mirror": mirrors[0] if mirrors and not merged else None,
            "snapshots": sorted(merged),
            "created": moment(there["CreatedAt"]),
        }

    def publications(self) -> list[Fields]:
        """All publications."""
        return [
            {
                "prefix": item["Prefix"],
                "distribution": item["Distribution"],
                "components": {part["Component"]: part["Name"] for part in item["Sources"]},
                "architectures": sorted(item["Architectures"]),
                "acquire_by_hash": item["AcquireByHash"],
                "origin": item["Origin"],
                "label": item["Label"],
                "suite": item["Suite"],
            }
            for item in json.loads(self.call("publish", "list", "-json") or "null") or []
        ]

    def publication(self, prefix: str, distribution: str) -> Fields | None:
        """A publication, None if there is none at that place."""
        place = (prefix, distribution)
        found = self.publications()
        return next((i for i in found if (i["prefix"], i["distribution"]) == place), None)


def moment(text: str) -> str | None:
    """A moment as tasks return it: None for never."""
    return None if text.startswith("0001-") else text.partition(".")[0].rstrip("Z") + "Z"


def plan_mirror(there: Fields | None, wanted: Fields) -> Plan:
    """What brings a mirror about.

    Raises:
        InputError: It is new, and something is missing.
        ConflictError: What is to change cannot be.
    """
    name = wanted["name"]
    if wanted["state"] == "absent":
        drop = ("mirror", "drop", *(["-force"] if wanted["force"] else []), name)
        return Plan(there, None, (drop,) if there else ())
    given = {key: value for key, value in wanted.items()
             if value is not None and key not in ("state", "force", "keyring")}  # fmt: skip
    if "archive_url" in given:
        given["archive_url"] = given["archive_url"].rstrip("/") + "/"
    if "architectures" in given:
        given["architectures"] = sorted(given["architectures"])
    keyrings = [f"-keyring={path}" for path in wanted["keyring"] or []]
    if there is None:
        for key in ("archive_url", "distribution"):
            if key not in given:
                raise InputError(f"{key} is required to create it", resource=f'mirror "{name}"')
        # All components and architectures are those that only the source knows.
        after = {"filter": "", "filter_with_deps": False, "with_sources": False, **given}
        create = ("mirror", "create", *keyrings, *flags(given), name, given["archive_url"],
                  given["distribution"], *given.get("components", []))  # fmt: skip
        return Plan(None, after, (create,))
    changed = {key: value for key, value in given.items() if there[key] != value}
    for key in ("distribution", "components"):
        if key in changed:
            raise ConflictError(
                f"{key} is {there[key]!r} and cannot become {changed[key]!r}",
                resource=f'mirror "{name}"', hint="Remove the mirror and make it again",
            )  # fmt: skip
    words = [f"-archive-url={changed['archive_url']}"] if "archive_url" in changed else []
    edit = ("mirror", "edit", *keyrings, *flags(changed), *words, name)
    return Plan(there, {**there, **changed}, (edit,) if changed else ())


def flags(fields: Fields) -> list[str]:
    """The flags of `mirror create` and `mirror edit` for some fields."""
    found = []
    if fields.get("architectures"):
        found.append(f"-architectures={','.join(fields['architectures'])}")
    if "filter" in fields:
        found.append(f"-filter={fields['filter']}")
    for key in ("filter_with_deps", "with_sources"):
        if key in fields:
            found.append(f"-{key.replace('_', '-')}={str(fields[key]).lower()}")
    return found


def plan_snapshot(there: Fields | None, wanted: Fields) -> Plan:
    """What brings a snapshot about.

    Raises:
        InputError: It is new, and nothing says of what.
        ConflictError: It is one of something else.
    """
    name, resource = wanted["name"], f'snapshot "{wanted["name"]}"'
    if wanted["state"] == "absent":
        drop = ("snapshot", "drop", *(["-force"] if wanted["force"] else []), name)
        return Plan(there, None, (drop,) if there else ())
    mirror, merged = wanted["mirror"], sorted(wanted["snapshots"] or [])
    if there is not None:
        if (mirror and there["mirror"] != mirror) or (merged and there["snapshots"] != merged):
            raise ConflictError(
                f"it is of {there['mirror'] or there['snapshots']}, not of {mirror or merged}",
                resource=resource, hint="A snapshot never changes: choose another name",
            )  # fmt: skip
        return Plan(there, there)
    if not mirror and not merged:
        raise InputError("give mirror or snapshots to create it", resource=resource)
    after = {"name": name, "mirror": mirror, "snapshots": merged}
    if mirror:
        return Plan(None, after, (("snapshot", "create", name, "from", "mirror", mirror),))
    return Plan(None, after, (("snapshot", "merge", "-no-remove", name, *merged),))


def plan_publication(there: Fields | None, wanted: Fields) -> Plan:
    """What brings a publication about: the first time published, then switched.

    Raises:
        InputError: It is new, and no component is given.
        ConflictError: What is to change cannot be.
    """
    prefix, distribution = wanted["prefix"], wanted["distribution"]
    resource = f'publication "{prefix}/{distribution}"'
    if wanted["state"] == "absent":
        drop = ("publish", "drop", distribution, prefix)
        return Plan(there, None, (drop,) if there else ())
    given = {key: value for key, value in wanted.items()
             if value is not None and key not in ("state", "gpg_key", "contents")}  # fmt: skip
    if "architectures" in given:
        given["architectures"] = sorted(given["architectures"])
    components = given.get("components") or (there or {}).get("components")
    if not components:
        raise InputError("components is required to create it", resource=resource)
    signing = [f"-gpg-key={wanted['gpg_key']}"] if wanted["gpg_key"] else ["-skip-signing"]
    common = ["-batch", *signing, f"-component={','.join(components)}"]
    common += [] if wanted["contents"] else ["-skip-contents"]
    if there is None:
        named = [f"-{key}={given[key]}" for key in ("origin", "label", "suite") if key in given]
        if given.get("architectures"):
            named.append(f"-architectures={','.join(given['architectures'])}")
        named += ["-acquire-by-hash"] if given.get("acquire_by_hash", True) else []
        after = {"acquire_by_hash": True, **given}
        publish = ("publish", "snapshot", *common, *named, f"-distribution={distribution}",
                   *components.values(), prefix)  # fmt: skip
        return Plan(None, after, (publish,))
    changed = {key: value for key, value in given.items() if there[key] != value}
    fixed = sorted({*changed} - {"components"})
    if fixed or set(components) != set(there["components"]):
        key = fixed[0] if fixed else "components"
        raise ConflictError(
            f"{key} is {there[key]!r} and cannot become {given[key]!r}",
            resource=resource, hint="Remove the publication and make it again",
        )  # fmt: skip
    switch = ("publish", "switch", *common, distribution, prefix, *components.values())
    return Plan(there, {**there, **changed}, (switch,) if changed else ())


def run(
    name: str, spec: Fields, read: Callable[[Aptly, Fields], Fields | None],
    plan: Callable[[Fields | None, Fields], Plan],
) -> None:  # fmt: skip
    """The whole of a module that manages one thing of aptly's.

    Args:
        name: What it is called in the result.
        spec: Its options.
        read: Reads the thing that the options name.
        plan: Compares it with the options.
    """
    module = AnsibleModule(argument_spec={**spec, **SPEC}, supports_check_mode=True)
    aptly = Aptly(module.params["config"], module.params["gnupg_home"])
    wanted = {key: module.params[key] for key in spec}
    try:
        planned = plan(read(aptly, wanted), wanted)
        after = planned.after
        if not module.check_mode:
            for command in planned.commands:
                aptly.call(*command)
            after = read(aptly, wanted)
    except PextraError as error:
        module.fail_json(msg=str(error), code=error.code, errors=[error.as_dict()])
    result: Fields = {"changed": bool(planned.commands), name: after}
    if module._diff:
        result["diff"] = {"before": planned.before or "", "after": planned.after or ""}
    module.exit_json(**result)
