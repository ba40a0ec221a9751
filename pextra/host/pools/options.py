# SPDX-License-Identifier: Apache-2.0
"""The options of each type of storage pool: field tables, and what holds between fields. Pure."""

from __future__ import annotations

import ipaddress
import posixpath
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from pextra.model import fields
from pextra.model.errors import InputError
from pextra.model.fields import Field
from pextra.model.values import Options

if TYPE_CHECKING:
    from pextra.model.rows import StoragePoolOptions, StoragePoolSecrets

DEFAULT_PARENT = "/var/lib/pextra-ce/pools"
_PATH = re.compile(r"(/[A-Za-z0-9._+@-]+)+", re.ASCII)
_SYSTEM = ("/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", "/usr")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_IQN = re.compile(r"(iqn\.\d{4}-\d\d\.[a-z0-9.-]+(:[!-~]+)?|eui\.[0-9A-Fa-f]{16})", re.ASCII)
_SHARE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._$-]{0,79}(/[A-Za-z0-9._$-]+)*", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,126}", re.ASCII)
_CEPH_KEY = re.compile(r"[A-Za-z0-9+/]{36,}={0,2}", re.ASCII)
_VERSIONS = {"nfs": ("3", "4", "4.0", "4.1", "4.2"), "cifs": ("2.1", "3.0", "3.1.1")}
_ROOT_NAMES = re.compile(r"(mirror|raidz|draid|spare|log|c\d).*|.*\s.*", re.ASCII)
"""What zpool-create(8) does not take as a name."""


def _path(value: Any) -> str:
    path = posixpath.normpath(str(value))
    system = any(path == part or path.startswith(part + "/") for part in _SYSTEM)
    if ".." in str(value).split("/") or not _PATH.fullmatch(path) or system:
        raise InputError(
            f"{str(value)[:80]!r} is not acceptable as a pool's path",
            hint="Give an absolute path outside the system's own directories",
        )
    return path


def _host(value: Any) -> str:
    text = str(value)
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        if not _HOST.fullmatch(text) or ".." in text:
            raise InputError(f"{text[:80]!r} is neither an address nor a host name") from None
        return text.lower()


def _address(default_port: int, *, names: bool) -> Callable[[Any], str]:
    """A parser of ``host:port``, the port being optional; IPv6 in brackets."""

    def parse(value: Any) -> str:
        found = re.fullmatch(r"(\[[0-9A-Fa-f:]+\]|[^:]+|[0-9A-Fa-f:]+?)(?::(\d{1,5}))?", str(value))
        if found is None or not 0 < int(found[2] or default_port) < 65536:
            raise InputError(f"{str(value)[:80]!r} is not an address with a port")
        host = _host(found[1])
        is_address = ":" in host or re.fullmatch(r"[\d.]+", host)
        if not names and not is_address:
            raise InputError(
                f"{host!r} is a name", hint="Give the IP address: the name of a LUN has it"
            )
        return f"{f'[{host}]' if ':' in host else host}:{int(found[2] or default_port)}"

    return parse


def split_address(text: str) -> tuple[str, int]:
    """Host and port of what an option of addresses holds."""
    host, _colon, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if not pattern.fullmatch(str(value)):
            raise InputError(f"{str(value)[:80]!r} is not acceptable as {what}")
        return str(value)

    return parse


def _secret(value: Any) -> str:
    text = str(value)
    if not text.isprintable() or not 1 <= len(text) <= 256 or text != text.strip():
        raise InputError("it must have 1 to 256 printable characters, and no space at its ends")
    return text


def _ceph_key(value: Any) -> str:
    if not _CEPH_KEY.fullmatch(str(value)):
        raise InputError(
            "it is not a cephx key", hint="Print it with: ceph auth print-key client.NAME"
        )
    return str(value)


FIELDS = (
    Field(
        "path",
        parse=_path,
        doc=(
            "For V(directory), the absolute path of the directory, and for V(netfs), where the"
            " export is mounted. It is made if it is missing.",
            "It must be outside the system's own directories, and neither inside nor around the"
            " path of another pool of the cluster. For V(netfs), nothing else may be mounted or"
            " lie there.",
            "Unless given it is C(/var/lib/pextra-ce/pools/) and the pool's name.",
        ),
    ),
    Field(
        "protocol",
        choices=("nfs", "cifs"),
        doc=("For V(netfs), what the server speaks. V(nfs) unless given.",),
    ),
    Field(
        "server", parse=_host, doc=("For V(netfs), address or name of the server, which it needs.",)
    ),
    Field(
        "export",
        parse=str,
        doc=(
            "For V(netfs), which it needs. Absolute path of the export with NFS, the name of the"
            " share with CIFS.",
        ),
    ),
    Field(
        "version",
        choices=(*_VERSIONS["nfs"], *_VERSIONS["cifs"]),
        doc=(
            "For V(netfs), the version of the protocol. What client and server agree on unless"
            " given.",
            "V(3), V(4), V(4.0), V(4.1) and V(4.2) are of NFS, the others of CIFS.",
        ),
    ),
    Field(
        "domain",
        parse=_matching(_WORD, "a domain"),
        doc=("For V(netfs) with CIFS, the domain or workgroup of the user.",),
    ),
    Field(
        "portal",
        parse=_address(3260, names=False),
        doc=(
            "For V(iscsi), which it needs. IP address of the target's portal, and a port after a"
            " colon unless that is 3260. An IPv6 address is in brackets.",
        ),
    ),
    Field(
        "target",
        parse=_matching(_IQN, "an iSCSI name"),
        doc=("For V(iscsi), which it needs. The target's qualified name.",),
    ),
    Field(
        "monitors",
        "list",
        elements="str",
        doc=(
            "For V(rbd), which it needs. Addresses of the monitors, each with a port after a colon"
            " unless that is 6789.",
        ),
    ),
    Field(
        "ceph_pool",
        parse=_matching(_WORD, "the name of a Ceph pool"),
        doc=("For V(rbd), the Ceph pool. It has the name of the storage pool unless given.",),
    ),
    Field(
        "username",
        parse=_matching(_WORD, "a user name"),
        doc=(
            "For V(netfs) with CIFS and V(rbd), which need it, and for V(iscsi) with CHAP, who"
            " logs in. A cephx user is written without C(client.).",
        ),
    ),
    Field(
        "password",
        secret=True,
        parse=_secret,
        doc=(
            "For V(netfs) with CIFS, which needs it, and for V(iscsi) with CHAP, the password. It"
            " can be changed.",
            "Nodes read it from the store, and keep it in a file of root's.",
        ),
    ),
    Field(
        "key",
        secret=True,
        parse=_ceph_key,
        doc=(
            "For V(rbd), which needs it, the cephx user's key. It can be changed.",
            "Nodes read it from the store, and keep it in a secret of libvirt and in a file of"
            " root's.",
        ),
    ),
    Field(
        "thin",
        "bool",
        doc=(
            "For V(zfs), whether volumes take only what is written to them. V(true) unless given.",
        ),
    ),
    Field(
        "thin_pool",
        parse=_matching(_WORD, "the name of a thin pool"),
        doc=(
            "For V(lvm), the name of a thin pool, which must exist in the volume group on each"
            " node. Volumes then take only what is written to them, and can have snapshots.",
        ),
    ),
)
"""What the option ``options`` of the module takes, for all types together."""

_OF_TYPE: Mapping[str, tuple[str, ...]] = {
    "directory": ("path",),
    "netfs": ("path", "protocol", "server", "export", "version", "domain", "username", "password"),
    "iscsi": ("portal", "target", "username", "password"),
    "rbd": ("monitors", "ceph_pool", "username", "key"),
    "zfs": ("thin",),
    "lvm": ("thin_pool",),
}
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "netfs": ("server", "export"),
    "iscsi": ("portal", "target"),
    "rbd": ("monitors", "username", "key"),
}
SECRETS = frozenset(field.name for field in FIELDS if field.secret)
TYPES = tuple(_OF_TYPE)
"""Every type of the user guide, chapter Storage Pool Types."""


def table(type: str) -> tuple[Field, ...]:
    """The field table of a type."""
    return tuple(field for field in FIELDS if field.name in _OF_TYPE[type])


def normalise(
    type: str, given: Options, name: str
) -> tuple[StoragePoolOptions, StoragePoolSecrets]:
    """The options of a pool, complete and canonical: those that are shown, and the secrets.

    Raises:
        InputError: An option is unknown for the type, missing, or not acceptable.
    """
    unknown = sorted(set(given) - set(_OF_TYPE[type]))
    if unknown:
        raise InputError(
            f"options: {', '.join(unknown)} is not an option of a pool of type {type}",
            hint=f"It has: {', '.join(_OF_TYPE[type])}",
        )
    values = fields.normalise(table(type), given, "options")
    missing = [item for item in _REQUIRED.get(type, ()) if not values.get(item)]
    if missing:
        raise InputError(f"options: a pool of type {type} needs {', '.join(missing)}")
    values |= {key: value for key, value in _defaults(type, name).items() if key not in values}
    if type in _CHECKS:
        _CHECKS[type](values)
    if type in _NAMES:
        _NAMES[type](name)
    shown = {key: value for key, value in sorted(values.items()) if key not in SECRETS}
    secrets = {key: str(value) for key, value in values.items() if key in SECRETS}
    return cast("StoragePoolOptions", shown), cast("StoragePoolSecrets", secrets)


def _defaults(type: str, name: str) -> dict[str, Any]:
    defaults: dict[str, dict[str, Any]] = {
        "directory": {"path": f"{DEFAULT_PARENT}/{name}"},
        "netfs": {"path": f"{DEFAULT_PARENT}/{name}", "protocol": "nfs"},
        "rbd": {"ceph_pool": name},
        "zfs": {"thin": True},
    }
    return defaults.get(type, {})


def _check_netfs(values: dict[str, Any]) -> None:
    protocol, export = values["protocol"], str(values["export"])
    if protocol == "nfs":
        export = posixpath.normpath(export)
        if not _PATH.fullmatch(export) and export != "/":
            raise InputError(
                f"options: {export[:80]!r} is not acceptable as an NFS export",
                hint="It is an absolute path on the server",
            )
        _refuse(values, ("username", "password", "domain"), "protocol nfs")
    else:
        export = export.strip("/")
        if not _SHARE.fullmatch(export) or ".." in export.split("/"):
            raise InputError(
                f"options: {export[:80]!r} is not acceptable as a share", hint="Give its name"
            )
        if not values.get("username") or not values.get("password"):
            raise InputError("options: protocol cifs needs username and password")
    values["export"] = export
    version = values.get("version")
    if version is not None and version not in _VERSIONS[protocol]:
        raise InputError(
            f"options: version {version} does not exist for protocol {protocol}",
            hint=f"Possible are: {', '.join(_VERSIONS[protocol])}",
        )


def _refuse(values: Options, names: tuple[str, ...], why: str) -> None:
    given = [item for item in names if values.get(item)]
    if given:
        raise InputError(f"options: {', '.join(given)} has no meaning with {why}")


def _check_iscsi(values: dict[str, Any]) -> None:
    if bool(values.get("username")) != bool(values.get("password")):
        raise InputError("options: CHAP needs both username and password, or neither")


def _check_rbd(values: dict[str, Any]) -> None:
    parse = _address(6789, names=True)
    values["monitors"] = sorted({parse(item) for item in values["monitors"]})
    if values["username"].startswith("client."):
        values["username"] = values["username"].removeprefix("client.")


def _check_volume_group(name: str) -> None:
    if name in (".", "..") or not re.fullmatch(r"[A-Za-z0-9_+.][A-Za-z0-9_+.-]*", name, re.ASCII):
        raise InputError(f"no volume group can be named {name}, as the pool is")


def _check_zfs(name: str) -> None:
    if _ROOT_NAMES.fullmatch(name) or not name[0].isalpha():
        raise InputError(f"no ZFS pool can be named {name}, as the pool is")


_CHECKS: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "netfs": _check_netfs,
    "iscsi": _check_iscsi,
    "rbd": _check_rbd,
}
_NAMES: Mapping[str, Callable[[str], None]] = {"lvm": _check_volume_group, "zfs": _check_zfs}


def overlap(one: str, two: str) -> bool:
    """Whether two directories are the same, or one is within the other."""
    return f"{one}/".startswith(f"{two}/") or f"{two}/".startswith(f"{one}/")


def conflict(
    type: str, mine: StoragePoolOptions, other_type: str, other: StoragePoolOptions
) -> str | None:
    """Why two pools cannot be on one node, if so."""
    one, two = mine.get("path"), other.get("path")
    if one and two and overlap(one, two):
        return f"path {two}"
    if type == other_type == "iscsi" and mine["target"] == other["target"]:
        return f"target {other['target']}"
    export = ("protocol", "server", "export")
    if type == other_type == "netfs" and all(mine.get(key) == other.get(key) for key in export):
        return f"export {other['server']}:{other['export']}"
    return None
