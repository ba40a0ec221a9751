"""The configuration file: TOML, of which every key is known."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pextra_mirror.errors import ConfigError

DEFAULT_PATH = Path("/etc/pextra-mirror/config.toml")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
_DISTRIBUTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,99}")
_RANGES = {
    "keep": (2, 10**6),  # clients use the one before, too
    "retries": (0, 1000),
    "timeout": (1, 86400),
    "transfers": (1, 100),
}
"""The smallest and the largest number that a setting may be."""

EXAMPLE = """\
# pextra-mirror: what is mirrored, and where to. `pextra-mirror --help` explains the commands.
root = "/var/lib/pextra-mirror"     # keys, state; public/ below it is what is served
keep = 5                            # publications (and their packages) that stay for rollback
# metrics_file = "/var/lib/prometheus/node-exporter/pextra_mirror.prom"

[[source]]
name = "pextra"
url = "https://repo.pextra.cloud/debian/cloudenvironment"
distribution = "bookworm"
components = ["common", "meta"]
architectures = ["amd64"]
keyring = "/usr/share/keyrings/pextra-ce.gpg"
# fingerprints = ["..."]            # of the keys of the keyring that may sign; else all of them

# What nodes need from Debian: what the platform's packages depend on, and a base system.
# [[source]]
# name = "debian"
# url = "http://deb.debian.org/debian"
# distribution = "bookworm"
# components = ["main"]
# architectures = ["amd64"]
# keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
# base = true                       # packages of priority required and important
# packages = ["linux-image-amd64", "openssh-server"]
# depends_of = ["pextra"]           # and what the packages of these sources depend on
#
# [[source]]
# name = "debian-security"
# url = "http://security.debian.org/debian-security"
# distribution = "bookworm-security"
# components = ["main"]
# architectures = ["amd64"]
# keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
# updates_of = ["debian"]           # the packages that these sources were found to need
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """A repository that is mirrored.

    Attributes:
        prefix: Folder below the served tree; the source's name unless told otherwise.
        packages: Which packages, with all that they depend on; nothing at all means all.
        base: Also packages of priority required and important.
        depends_of: Also what the packages of these sources depend on.
        updates_of: Also the packages that these sources have.
        shrink: Percent of a component's packages that may vanish at once without a question.
    """

    name: str
    url: str
    distribution: str
    components: tuple[str, ...]
    architectures: tuple[str, ...]
    keyring: Path
    fingerprints: tuple[str, ...] = ()
    prefix: str = ""
    packages: tuple[str, ...] = ()
    base: bool = False
    depends_of: tuple[str, ...] = ()
    updates_of: tuple[str, ...] = ()
    recommends: bool = False
    shrink: int = 50

    @property
    def address(self) -> str:
        """Its URL as it is told to anybody: without user and password."""
        return split_secret(self.url)[0]

    @property
    def selects(self) -> bool:
        """Whether it is a choice of packages, not all of them."""
        return bool(self.packages or self.base or self.depends_of or self.updates_of)

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the sources that must be synced before."""
        return (*self.depends_of, *self.updates_of)


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    """The whole of it.

    Attributes:
        root: Where everything is.
        keep: How many publications stay for rollback.
        transfers: Files that are fetched at once from a source.
        retries: Attempts without progress before a transfer is given up.
        timeout: Seconds without a byte after which a connection counts as dead.
        slowest: Bytes a second, on an average over the timeout, that count as progress.
        reserve: Bytes that stay free on the disk.
        signing_key: Fingerprint of the signing key; empty, the only one of the key store.
    """

    root: Path
    sources: tuple[Source, ...]
    keep: int = 5
    transfers: int = 4
    retries: int = 5
    timeout: int = 30
    slowest: int = 1000
    reserve: int = 256 * 2**20
    signing_key: str = ""
    metrics_file: Path | None = None

    @property
    def public(self) -> Path:
        """The tree that a web server serves."""
        return self.root / "public"

    @property
    def gnupg(self) -> Path:
        """The key store."""
        return self.root / "gnupg"

    @property
    def state(self) -> Path:
        """Records of what was done."""
        return self.root / "state"

    @property
    def cache(self) -> Path:
        """Indexes and unfinished downloads."""
        return self.root / "cache"

    @property
    def fetched(self) -> Path:
        """Packages that are not published yet, each under its digest."""
        return self.root / "fetched"

    @property
    def snapshots(self) -> Path:
        """Snapshots."""
        return self.root / "snapshots"

    def source(self, name: str) -> Source:
        """The source of that name.

        Raises:
            ConfigError: There is none.
        """
        for source in self.sources:
            if source.name == name:
                return source
        names = ", ".join(source.name for source in self.sources)
        raise ConfigError(f"there is no source {name!r}, only {names}")


def table(cls: type[Any], values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values as the fields of a dataclass have them.

    Raises:
        ConfigError: A key is unknown or missing, or a value is of another type.
    """
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for key in values:
        if key not in fields:
            known = ", ".join("[[source]]" if name == "sources" else name for name in fields)
            raise ConfigError(f"{where}: {key!r} is unknown", f"Known are {known}")
    found: dict[str, Any] = {}
    for name, field in fields.items():
        if name in values:
            found[name] = convert(str(field.type), values[name], f"{where}: {name}")
            least, most = _RANGES.get(name, (0, 2**63 - 1))
            if isinstance(found[name], int) and found[name] < least:
                raise ConfigError(f"{where}: {name} must be at least {least}, not {found[name]}")
            if isinstance(found[name], int) and found[name] > most:
                raise ConfigError(f"{where}: {name} must be at most {most}, not {found[name]}")
        elif field.default is dataclasses.MISSING:
            raise ConfigError(f"{where}: {name!r} is missing")
    return found


def convert(type_name: str, value: Any, where: str) -> Any:
    """One value as a field of that type has it."""
    if type_name.startswith("tuple"):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ConfigError(f"{where} must be a list of texts, not {value!r}")
        return tuple(value)
    if type_name.startswith("Path"):
        if not isinstance(value, str) or not Path(value).is_absolute() or "\0" in value:
            raise ConfigError(f"{where} must be an absolute path, not {value!r}")
        return Path(value)
    wanted: type = {"str": str, "int": int, "bool": bool}[type_name]
    # True and False are of the type int, too.
    fits = isinstance(value, wanted) and isinstance(value, bool) == (wanted is bool)
    if not fits:
        raise ConfigError(f"{where} must be of type {type_name}, not {value!r}")
    return value


def parse(text: str, where: str) -> Config:
    """The configuration that a text is.

    Raises:
        ConfigError: It is not acceptable; the message says where and why.
    """
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: {error}") from error
    if "sources" in values:
        raise ConfigError(f"{where}: 'sources' is unknown", "Each source is a table [[source]]")
    entries = values.pop("source", [])
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f"{where}: there is no [[source]]")
    sources = [
        source(entry, f"{where}: source {number}") for number, entry in enumerate(entries, 1)
    ]
    settings = table(Config, {"sources": [], **values}, where)
    config = Config(**{**settings, "sources": tuple(sources)})
    places = [(item.prefix, item.distribution) for item in sources]
    names = [item.name for item in sources]
    if len(set(names)) != len(names) or len(set(places)) != len(places):
        raise ConfigError(f"{where}: two sources have the same name, or prefix and distribution")
    for position, item in enumerate(sources):
        for other in item.needs:
            if other not in names[:position]:
                raise ConfigError(f"{where}: {item.name} refers to {other}, which must come before")
    return config


def source(values: Any, where: str) -> Source:
    """One source.

    Raises:
        ConfigError: It is not acceptable.
    """
    if not isinstance(values, dict):
        raise ConfigError(f"{where} must be a table")
    found = Source(**table(Source, values, where))
    where = f"{where} ({found.name})"
    made = dataclasses.replace(
        found, prefix=found.prefix or found.name, url=found.url.rstrip("/"),
        fingerprints=tuple(item.replace(" ", "").upper() for item in found.fingerprints),
    )  # fmt: skip
    if not _NAME.fullmatch(made.name) or not _NAME.fullmatch(made.prefix):
        raise ConfigError(f"{where}: name and prefix are at most 100 of a-z, 0-9 and -")
    if why := wrong_url(made.url):
        raise ConfigError(f"{where}: url {made.address!r} {why}")
    for word in (made.distribution, *made.components, *made.architectures):
        if not _DISTRIBUTION.fullmatch(word):
            raise ConfigError(f"{where}: {word!r} is no name of a distribution or the like")
    if not made.components or not made.architectures:
        raise ConfigError(f"{where}: components and architectures must not be empty")
    if made.selects and len(made.components) > 1:
        raise ConfigError(
            f"{where}: a choice of packages takes one component",
            "Dependencies are followed within a component: make one source of each",
        )
    return made


def split_secret(url: str) -> tuple[str, str]:
    """An address without its ``user:password@``, and those two."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    secret, _at, server = authority.rpartition("@")
    return f"{scheme}{separator}{server}{slash}{path}", secret


def wrong_url(url: str) -> str:
    """Why an address is none of a source; empty if it is one."""
    if not re.match(r"https?://", url):
        return "must begin with http:// or https://"
    if not url.isascii() or not url.isprintable() or re.search(r"[ ?#]", url):
        return "must be of ASCII without spaces, ? and #; others are written as %20 and the like"
    try:
        parts = urlsplit(url)
        return "" if parts.hostname and parts.port != 0 else "has no host, or port 0"
    except ValueError as error:
        return f"cannot be read: {error}"


def load(path: Path) -> Config:
    """The configuration of a file.

    Raises:
        ConfigError: It is not there, or not acceptable.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error}", "`pextra-mirror init` writes an example"
        ) from error
    return parse(text, str(path))
