# Copied from mirror/pextra_mirror/aptly.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""aptly, by its command line.

Its API was looked at: a publication by the command line takes less than a tenth of a second, the
API gives no progress of downloads either (the gate does), and would be a second process to watch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils.bare.mirror import run
from ansible_collections.pextra.ce.plugins.module_utils.bare.mirror.changes import Change, Mirror, Publication, Snapshot
from ansible_collections.pextra.ce.plugins.module_utils.bare.mirror.errors import AptlyFailed


class Aptly:
    """aptly with one configuration and one key store.

    Args:
        settings: Its configuration file; None for its own default.
        gnupg_home: The folder of keys; None for gpg's own default.
    """

    def __init__(
        self, settings: str | Path | None = None, gnupg_home: str | Path | None = None
    ) -> None:
        self._argv = ["aptly", *([f"-config={settings}"] if settings else [])]
        self._env = {"GNUPGHOME": str(gnupg_home)} if gnupg_home else {}

    def call(self, *words: str | Path, proxy: str = "") -> str:
        """What a command prints.

        Args:
            words: The command.
            proxy: What its requests go through; empty for what the environment says.

        Raises:
            NotInstalled: There is no aptly.
            AptlyFailed: It failed.
            DiskFull: It failed because of that.
        """
        return run.output([*self._argv, *words], env=self._env | behind(proxy)).decode()

    def carry_out(self, change: Change, *, proxy: str = "") -> None:
        """Run the commands of a change; errors as those of ``call``."""
        for command in change.commands:
            self.call(*command, proxy=proxy)

    def names(self, kind: str) -> set[str]:
        """Names of all mirrors or snapshots."""
        return set(self.call(kind, "list", "-raw").split())

    def has(self, kind: str, name: str) -> bool:
        """Whether there is a mirror or snapshot of that name."""
        return name in self.names(kind)

    def packages(self, kind: str, name: str) -> set[str]:
        """Keys of the packages of a mirror or snapshot: ``Parch name version hash``."""
        try:
            return {*self.call(kind, "search", "-format={{.Key}}", name).splitlines()} - {""}
        except AptlyFailed as error:
            if "no results" in error.message:
                return set()
            raise

    def mirror(self, name: str) -> Mirror | None:
        """A mirror, None if there is none of that name."""
        if not self.has("mirror", name):
            return None
        shown = self._read("mirror", "show", "-json", name)
        return {
            "name": name,
            "archive_url": shown["ArchiveRoot"],
            "distribution": shown["Distribution"],
            "components": shown["Components"] or [],
            "architectures": sorted(shown["Architectures"] or []),
            "filter": shown["Filter"],
            "filter_with_deps": shown["FilterWithDeps"],
            "with_sources": shown["DownloadSources"],
            "last_update": moment(shown["LastDownloadDate"]),
        }

    def snapshot(self, name: str) -> Snapshot | None:
        """A snapshot, None if there is none of that name."""
        if not self.has("snapshot", name):
            return None
        shown = self._read("snapshot", "show", "-json", name)
        merged = [item["Name"] for item in shown.get("Snapshots") or []]
        mirrors = [item["Name"] for item in shown.get("RemoteRepos") or []]
        return {
            "name": name,
            "mirror": mirrors[0] if mirrors and not merged else None,
            "snapshots": sorted(merged),
            "created": moment(shown["CreatedAt"]),
        }

    def publications(self) -> list[Publication]:
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
            for item in self._read("publish", "list", "-json") or []
        ]

    def publication(self, prefix: str, distribution: str) -> Publication | None:
        """A publication, None if there is none at that place."""
        place = (prefix, distribution)
        every = self.publications()
        return next((i for i in every if (i["prefix"], i["distribution"]) == place), None)

    def _read(self, *words: str) -> Any:
        """What a command prints as JSON."""
        # Some commands print JSON's null for an empty list, and some nothing.
        return json.loads(self.call(*words) or "null")


def moment(text: str) -> str | None:
    """A moment of aptly's in UTC, to the second: None for never."""
    return None if text.startswith("0001-") else text.partition(".")[0].rstrip("Z") + "Z"


def behind(proxy: str) -> dict[str, str]:
    """Environment variables that lead every request of aptly's to a proxy."""
    if not proxy:
        return {}
    return {"http_proxy": proxy, "HTTP_PROXY": proxy, "no_proxy": "", "NO_PROXY": ""}
