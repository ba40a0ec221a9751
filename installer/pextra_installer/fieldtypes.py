"""Types of the plan's fields: what a value must look like, and its JSON schema.

Sizes, host names, user names and licence keys are the collection's own: one way to check each.
"""

from __future__ import annotations

import fnmatch
import functools
import ipaddress
import re
import urllib.parse
import zoneinfo
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

from pextra.kinds.user import passwords
from pextra.licensing import keys, token
from pextra.model import units
from pextra.model.errors import PextraError
from pextra_installer import keyboard

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}", re.ASCII)
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.ASCII)
_USERNAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}", re.ASCII)
# crypt(5) of Debian 12: yescrypt and SHA-512, both with salt and digest in their own alphabets.
_CRYPT = re.compile(
    r"\$y\$[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}"
    r"|\$6\$(rounds=[1-9][0-9]{3,8}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}",
    re.ASCII,
)
# These stand for the machine's own setting, and for none: as that setting they name nothing.
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})
MAX_PASSWORD = 256
"""Bytes. OpenSSL, which makes the hash for Linux, leaves out what follows, and says nothing."""
# Names of Linux that are somebody else's, and would be the administrator's.
_TAKEN_USERS = frozenset({"root", "daemon", "bin", "sys", "nobody", "postgres", "sshd"})


def refuse(message: str, hint: str | None = None) -> PydanticCustomError:
    """The error of one field."""
    # The text is a template for pydantic: braces of ours are not.
    return PydanticCustomError("pextra", "{text}", {"text": message, "hint": hint or ""})


def _checked(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A check of the collection, with its error as one of a field."""

    def run(value: Any) -> Any:
        try:
            return check(value)
        except PextraError as error:
            raise refuse(error.message, error.hint) from None

    return run


def _hostname(value: str) -> str:
    if len(value) > 253 or not re.fullmatch(rf"{_LABEL}(\.{_LABEL})*", value, re.ASCII):
        raise refuse(f"{value[:80]!r} is not a host name", "Write node1 or node1.example.com")
    if value.split(".")[0].isdigit():
        raise refuse(f"{value[:80]!r} is a number, not a host name", "Begin it with a letter")
    if value.lower() in ("localhost", "localhost.localdomain"):
        raise refuse(f"{value!r} names every machine", "Give the node a name of its own")
    return value.lower()


def _domain(value: str) -> str:
    if len(value) > 253 or not re.fullmatch(rf"{_LABEL}(\.{_LABEL})*", value, re.ASCII):
        raise refuse(f"{value[:80]!r} is not a domain", "Write example.com")
    return value.lower()


def _interface(value: str) -> str:
    if _MAC.fullmatch(value.lower()):
        mac: str = _checked(units.parse_mac)(value)
        return mac
    if not _INTERFACE.fullmatch(value):
        hint = "Write a name such as enp1s0, or its MAC address"
        raise refuse(f"{value[:80]!r} is not a network interface", hint)
    return value


@functools.cache
def timezones() -> frozenset[str]:
    """Every time zone that can be chosen."""
    known = zoneinfo.available_timezones()
    zones = (name for name in known if not name.startswith(("posix/", "right/")))
    return frozenset(zones) - _NO_ZONES


def _timezone(value: str) -> str:
    known = timezones()
    if value in known:
        return value
    near = near_match(value, known)
    hint = f"Did you mean {near}?" if near else "Write a name such as Etc/UTC or Europe/Berlin"
    raise refuse(f"{value[:80]!r} is not a time zone", hint)


def _keyboard(value: str) -> str:
    if value in keyboard.LAYOUTS:
        return value
    near = near_match(value, keyboard.LAYOUTS)
    hint = f"Did you mean {near}?" if near else f"Use one of: {', '.join(keyboard.LAYOUTS)}"
    raise refuse(f"{value[:80]!r} is no keyboard layout of a console", hint)


def near_match(word: str, known: object) -> str | None:
    """The known word that somebody who wrote ``word`` most likely meant."""
    import difflib

    lowered = {str(name).lower(): str(name) for name in known}  # type: ignore[attr-defined]
    found = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def _username(value: str) -> str:
    if not _USERNAME.fullmatch(value):
        hint = "Use 1 to 32 of a-z, 0-9, underscore and hyphen, beginning with a letter"
        raise refuse(f"{value[:80]!r} is not an acceptable user name", hint)
    if value in _TAKEN_USERS:
        raise refuse(f"{value!r} is a user of the system", "Use another, such as pceadmin")
    return value


def _organization(value: str) -> str:
    checked: str = _checked(units.parse_title)(value)
    return checked


def _password(value: str) -> str:
    if not 8 <= len(value) <= MAX_PASSWORD:
        raise refuse(f"the password has {len(value)} characters", f"Use 8 to {MAX_PASSWORD}")
    size = len(value.encode("utf-8", "replace"))
    if size > MAX_PASSWORD:
        hint = f"At most {MAX_PASSWORD} can be used: shorten it"
        raise refuse(f"the password takes {size} bytes", hint)
    if not value.isprintable():
        raise refuse("the password has characters that no keyboard types", "Use printable ones")
    return value


def _argon2(value: str) -> str:
    if not passwords.is_argon2_hash(value):
        hint = "Make one with: pextra-installer hash-password"
        raise refuse("this is no argon2id hash of sufficient strength", hint)
    return value


def _crypt(value: str) -> str:
    if not _CRYPT.fullmatch(value):
        hint = "Make one with: pextra-installer hash-password, or: openssl passwd -6 -stdin"
        raise refuse("this is no crypt(5) hash of the kinds yescrypt ($y$) or SHA-512 ($6$)", hint)
    return value


def _license_key(value: str) -> str:
    _checked(token.parse)(value)
    return value.strip()


def public_key_of(text: str) -> bytes:
    """The raw bytes of an Ed25519 public key: of PEM, or of the line between its first and last.

    Raises:
        LicenseError: It is none.
    """
    if "-----BEGIN" in text:
        return keys.load_public_pem(text.encode("utf-8", "replace"))
    body = "".join(text.split())
    pem = f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"
    return keys.load_public_pem(pem.encode("utf-8", "replace"))


def _public_key(value: str) -> str:
    """The line between the first and the last one of its PEM."""
    try:
        return "".join(keys.public_pem(public_key_of(value)).decode().splitlines()[1:-1])
    except PextraError as error:
        hint = "Copy the whole of the signer's .pem file, or the line between its first and last"
        raise refuse(f"this is no public key of a signer: {error.message}", hint) from None


def _repository(value: str) -> str:
    """The address of an apt repository, as it stands on a line of a source (sources.list(5))."""
    wrong = refuse(
        "this is no address of a repository",
        "Write https://repository.example.com/pextra-ce, or one with http:// or file:///",
    )
    try:
        parts = urllib.parse.urlsplit(value)
        place = bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:
        raise wrong from None
    local = parts.scheme == "file" and not parts.netloc and parts.path.startswith("/")
    if not all("!" <= char <= "~" for char in value) or parts.query or parts.fragment:
        raise wrong
    if not local and not (parts.scheme in ("http", "https") and place):
        raise wrong
    return value.rstrip("/")


def _armoured_key(value: str) -> str:
    """An OpenPGP public key in ASCII (RFC 9580, section 6.2)."""
    text = value.strip() + "\n"
    head, end = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
    if not re.fullmatch(rf"{head}\n([ -~]*\n)*{end}\n", text) or "PRIVATE" in text:
        hint = "Give the whole text of: gpg --armor --export KEY"
        raise refuse("this is no OpenPGP public key in ASCII", hint)
    return text


def _by_id(value: str) -> str:
    name = value.removeprefix("/dev/disk/by-id/")
    if not name or "/" in name:
        hint = "Write /dev/disk/by-id/NAME, or NAME alone; * and ? stand for other characters"
        raise refuse(f"{value[:80]!r} is not a by-id path", hint)
    return _glob(name)


def _glob(value: str) -> str:
    text = value.strip()
    if not text:
        raise refuse("an empty pattern matches nothing", "Leave the key out to accept any")
    re.compile(fnmatch.translate(text))
    return text


def _device(value: str) -> str:
    if not re.fullmatch(r"/dev/(?!disk/)[A-Za-z0-9!/_.-]{1,60}", value) or ".." in value:
        hint = "Write /dev/sda; better give by_id, as such names change from boot to boot"
        raise refuse(f"{value[:80]!r} is not a disk's device", hint)
    return value


def _address(version: int) -> Callable[[str], str]:
    example = "192.0.2.10/24" if version == 4 else "2001:db8::10/64"

    def check(value: str) -> str:
        _refuse_zone(value)
        try:
            address = ipaddress.ip_interface(value)
        except ValueError:
            address = None
        if address is None or address.version != version or "/" not in value:
            hint = f"Write address and prefix length, such as {example}"
            raise refuse(f"{value[:80]!r} is not an IPv{version} address with its prefix", hint)
        network, hint = address.network, f"Such as {example}"
        why = no_host(address.ip) or ("is link-local" if address.ip.is_link_local else None)
        if why:
            raise refuse(f"{value[:80]!r} cannot be a node's address: it {why}", hint)
        if network.prefixlen < LEAST_PREFIX:
            why = f"the prefix length {network.prefixlen} makes most of the internet neighbours"
            raise refuse(why, hint)
        edge = edge_of(address.ip, network)
        if edge:
            raise refuse(f"{value[:80]!r} is {edge}", hint)
        return str(address)

    return check


LEAST_PREFIX = 8
"""Shorter ones are of no network that anybody has."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")  # RFC 1122, 3.2.1.3


def no_host(address: _Address) -> str | None:
    """Why no machine in a network can have an address; None if one can."""
    if address.is_unspecified or (address.version == 4 and address in _THIS_NETWORK):
        return "stands for no address"
    if address.is_multicast:
        return "is of a group of machines (multicast)"
    if address.is_loopback:
        return "is of each machine itself (loopback)"
    if address.version == 4 and address.is_reserved:
        return "is reserved"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return "is an IPv4 address, written as one of IPv6"
    return None


def edge_of(address: _Address, network: _Network) -> str | None:
    """What of a network an address is, where it is of no machine in it; else None."""
    if network.prefixlen >= network.max_prefixlen - 1:  # RFC 3021, RFC 6164
        return None
    if address == network.network_address:
        return f"the network {network} itself"
    if network.version == 4 and address == network.broadcast_address:
        return f"the broadcast address of {network}"
    return None


def _refuse_zone(value: str) -> None:
    """An address is at the interface that is chosen, and names none itself (RFC 4007, zones)."""
    if "%" in value:
        raise refuse(f"{value[:80]!r} names an interface", "Leave out % and what follows it")


def _ip(version: int | None) -> Callable[[str], str]:
    def check(value: str) -> str:
        _refuse_zone(value)
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            address = None
        if address is None or version not in (None, address.version):
            kind = f"an IPv{version}" if version else "an IP"
            raise refuse(f"{value[:80]!r} is not {kind} address", "Give it without a prefix length")
        why = no_host(address)
        if why:
            raise refuse(f"{value[:80]!r} cannot be used: it {why}", "Give a machine's address")
        return str(address)

    return check


def _size(value: Any) -> int:
    size: int = _checked(units.parse_size)(value)
    return size


_SIZE_SCHEMA = {
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*([KMGTkmgt]([iI]?[bB])?|[bB])?\s*$"},
    ],
    "description": "Bytes, or a text such as 100GB (decimal) or 100GiB (binary)",
}

Text = Annotated[str, Strict()]
Flag = Annotated[bool, Strict()]
Hostname = Annotated[Text, AfterValidator(_hostname)]
Domain = Annotated[Text, AfterValidator(_domain)]
Interface = Annotated[Text, AfterValidator(_interface)]
Timezone = Annotated[Text, AfterValidator(_timezone)]
Keyboard = Annotated[Text, AfterValidator(_keyboard)]
Username = Annotated[Text, AfterValidator(_username)]
Organization = Annotated[Text, AfterValidator(_organization)]
Password = Annotated[Text, AfterValidator(_password)]
Argon2Hash = Annotated[Text, AfterValidator(_argon2)]
CryptHash = Annotated[Text, AfterValidator(_crypt)]
LicenseKey = Annotated[Text, AfterValidator(_license_key)]
PublicKey = Annotated[Text, AfterValidator(_public_key)]
Repository = Annotated[Text, AfterValidator(_repository)]
ArmouredKey = Annotated[Text, AfterValidator(_armoured_key)]
ById = Annotated[Text, AfterValidator(_by_id)]
Glob = Annotated[Text, AfterValidator(_glob)]
Device = Annotated[Text, AfterValidator(_device)]
Address4 = Annotated[Text, AfterValidator(_address(4))]
Address6 = Annotated[Text, AfterValidator(_address(6))]
Ip4 = Annotated[Text, AfterValidator(_ip(4))]
Ip6 = Annotated[Text, AfterValidator(_ip(6))]
Ip = Annotated[Text, AfterValidator(_ip(None))]
Vlan = Annotated[int, Strict(), Field(ge=1, le=4094)]
Mtu = Annotated[int, Strict(), Field(ge=576, le=65535)]
Size = Annotated[
    int,
    BeforeValidator(_size),
    PlainSerializer(units.format_size, return_type=str),
    WithJsonSchema(_SIZE_SCHEMA),
]
