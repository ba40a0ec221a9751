"""aptly, by its command line.

Its API was looked at: a publication by the command line takes less than a tenth of a second, the
API gives no progress of downloads either (the gate does), and would be a second process to watch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pextra_mirror import run
from pextra_mirror.config import Config, Source
from pextra_mirror.errors import AptlyFailed


class Aptly:
    """The aptly of one mirror, with a configuration and key store of its own."""

    def __init__(self, config: Config) -> None:
        self.root = config.aptly
        self.settings = config.root / "aptly.conf"
        self._env = {"GNUPGHOME": str(config.gnupg)}
        self._wanted = {
            "rootDir": str(config.aptly),
            "downloadConcurrency": config.transfers,
            "gpgProvider": "gpg",
            "skipLegacyPool": True,
        }

    def prepare(self) -> None:
        """Write aptly's configuration."""
        self.root.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._wanted, indent=2) + "\n"
        if not self.settings.exists() or self.settings.read_text() != text:
            self.settings.write_text(text)

    def call(self, *words: str | Path, proxy: str = "") -> str:
        """What a command prints.

        Raises:
            AptlyFailed: It failed.
        """
        argv = ["aptly", f"-config={self.settings}", *words]
        return run.output(argv, env=self._env | behind(proxy)).decode()

    def read(self, *words: str) -> Any:
        """What a command prints as JSON."""
        text = self.call(*words)
        # Some commands print JSON's null for an empty list, and some nothing.
        return json.loads(text or "null")

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

    def mirror(self, source: Source, component: str, query: str, keys: Path, proxy: str) -> str:
        """Have a mirror of one component of a source; its name."""
        name = f"{source.name}-{component}"
        url = f"http://{source.name}.mirror.invalid/"
        wanted = (url, source.distribution, [component], sorted(source.architectures))
        if name in self.names("mirror"):
            there = self.read("mirror", "show", "-json", name)
            found = (
                there["ArchiveRoot"], there["Distribution"], there["Components"],
                sorted(there["Architectures"]),
            )  # fmt: skip
            if found == wanted and there["Filter"] == query:
                return name
            if found == wanted:
                self.call("mirror", "edit", f"-filter={query}", "-filter-with-deps=false", name)
                return name
            self.call("mirror", "drop", "-force", name)
        self.call(
            f"-architectures={','.join(source.architectures)}", f"-keyring={keys}",
            # Debian's security archive calls its components updates/main; they were looked at.
            "mirror", "create", "-force-components", f"-filter={query}", name, url,
            source.distribution, component, proxy=proxy,
        )  # fmt: skip
        return name

    def update(self, name: str, keys: Path, proxy: str) -> None:
        """Take over what the source has.

        Args:
            name: The mirror.
            keys: The keyring of the source.
            proxy: The gate.

        Raises:
            AptlyFailed: Not all of it could be had; the mirror is as before.
        """
        self.call("mirror", "update", f"-keyring={keys}", name, proxy=proxy)

    def published(self) -> dict[str, dict[str, str]]:
        """The snapshot of each component, by ``prefix/distribution``."""
        return {
            f"{item['Prefix']}/{item['Distribution']}": {
                source["Component"]: source["Name"] for source in item["Sources"]
            }
            for item in self.read("publish", "list", "-json") or []
        }

    def publish(
        self, source: Source, snapshots: Mapping[str, str], key: str, fields: Mapping[str, str]
    ) -> None:
        """Have exactly these snapshots published, in aptly's own public folder.

        Args:
            source: Gives prefix, distribution and architectures.
            snapshots: The snapshot of each component.
            key: Fingerprint of the signing key.
            fields: The source's own Release, of which origin, label and suite are kept.
        """
        there = self.published().get(f"{source.prefix}/{source.distribution}")
        if there is not None and set(there) != set(snapshots):
            self.call("publish", "drop", "-force-drop", source.distribution, source.prefix)
            there = None
        common = ["-batch", "-skip-contents", "-skip-bz2", f"-gpg-key={key}",
                  f"-component={','.join(snapshots)}"]  # fmt: skip
        if there is None:
            named = [f"-{name.lower()}={fields[name]}" for name in ("Origin", "Label", "Suite")
                     if fields.get(name)]  # fmt: skip
            self.call(
                "publish", "snapshot", *common, "-acquire-by-hash", *named,
                f"-distribution={source.distribution}",
                f"-architectures={','.join(source.architectures)}",
                *snapshots.values(), source.prefix,
            )  # fmt: skip
        else:
            self.call("publish", "switch", *common, source.distribution, source.prefix,
                      *snapshots.values())  # fmt: skip

    def drop_unpublished(self, kept: set[str]) -> list[str]:
        """Remove snapshots that are neither kept nor published, and files that nothing uses."""
        kept = kept | {name for item in self.published().values() for name in item.values()}
        gone = sorted(self.names("snapshot") - kept)
        for name in gone:
            self.call("snapshot", "drop", "-force", name)
        if gone:
            self.call("db", "cleanup")
        return gone


def behind(proxy: str) -> dict[str, str]:
    """Environment variables that lead every request of aptly's to the gate."""
    if not proxy:
        return {}
    return {"http_proxy": proxy, "HTTP_PROXY": proxy, "no_proxy": "", "NO_PROXY": ""}
