# Copied from pextra/model/units.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""Sizes, MAC addresses, times and names: parsing and canonical forms. Pure."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

from ansible_collections.pextra.ce.plugins.module_utils.bare.model.errors import InputError

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40
_UNITS = {
    "B": 1, "K": KIB, "KIB": KIB, "M": MIB, "MIB": MIB, "G": GIB, "GIB": GIB, "T": TIB,
    "TIB": TIB, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
}  # fmt: skip
_SIZE = re.compile(r"\s*(\d{1,19}(?:\.\d{1,6})?)\s*([A-Za-z]{0,3})\s*", re.ASCII)
_RATE = re.compile(r"\s*(\d{1,15}(?:\.\d{1,6})?)\s*(?:([kKmMgG]?)(?:bit|bit/s))?\s*", re.ASCII)
_MAC = re.compile(r"[0-9a-f]{2}([:-]?)(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,61}[A-Za-z0-9])?", re.ASCII)
_HOSTNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)


def parse_size(value: object, *, bare: int = 1) -> int:
    """Bytes of ``10GiB``, ``512M`` (binary), ``10GB`` (decimal) or a bare number.

    Args:
        value: The text or number as the user gave it.
        bare: How many bytes a number without a unit counts.

    Raises:
        InputError: The value is not a size, is negative, or is no whole number of bytes.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise InputError(f"{value!r} is not a size", hint="Write a size such as 10GiB or 512MiB")
    match = _SIZE.fullmatch(str(value))
    unit = match.group(2).upper() if match else ""
    if match is None or (unit and unit not in _UNITS):
        raise InputError(f"{value!r} is not a size", hint="Write a size such as 10GiB or 512MiB")
    number = float(match.group(1)) if "." in match.group(1) else int(match.group(1))
    size = number * (_UNITS[unit] if unit else bare)
    if size != int(size) or size > 1 << 62:
        raise InputError(f"{value!r} is not a whole number of bytes below 4 EiB")
    return int(size)


def parse_rate(value: object) -> int:
    """Bits per second of ``100Mbit``, ``1.5Gbit`` or a bare number of bits.

    Raises:
        InputError: It is no rate, or less than 64kbit, or more than 400Gbit.
    """
    match = _RATE.fullmatch(str(value)) if not isinstance(value, bool) else None
    unit = (match.group(2) or "").lower() if match else ""
    if match is None:
        raise InputError(f"{value!r} is not a rate", hint="Write a rate such as 100Mbit or 1Gbit")
    rate = round(float(match.group(1)) * {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}[unit])
    if not 64_000 <= rate <= 400 * 10**9 or rate % 1000:
        raise InputError(
            f"{value!r} is not a rate that can be kept",
            hint="Write a whole number of kbit from 64kbit to 400Gbit",
        )
    return rate


def format_size(size: int) -> str:
    """A size for people: the largest binary unit that divides it, such as ``10GiB``."""
    for name, unit in (("TiB", TIB), ("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if size and size % unit == 0:
            return f"{size // unit}{name}"
    return f"{size}B"


def parse_mac(value: object) -> str:
    """A unicast MAC address as ``52:54:00:12:34:56``.

    One of decimal digits alone that is written without quotes, YAML 1.1 takes for a number of base
    60; it is made from that again.

    Raises:
        InputError: It is not a MAC address, or a multicast or all-zero one.
    """
    text = str(value).strip().lower()
    if text.isascii() and text.isdigit() and 60**5 <= int(text) < 100 * 60**5:
        text = _of_base_60(int(text))
    if not _MAC.fullmatch(text):
        raise InputError(
            f"{value!r} is not a MAC address",
            hint='Write it in quotes, such as "52:54:00:12:34:56"',
        )
    digits = re.sub("[:-]", "", text)
    if int(digits[:2], 16) & 1 or int(digits, 16) == 0:
        raise InputError(f"{value!r} is not a unicast MAC address")
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def _of_base_60(number: int) -> str:
    parts = []
    for _part in range(5):
        number, part = divmod(number, 60)
        parts.append(part)
    return ":".join(f"{part:02d}" for part in (number, *reversed(parts)))


def _shown(value: object) -> str:
    """A name for messages, of which a long one would be the greater part."""
    return repr(value if len(str(value)) <= 80 else f"{str(value)[:77]}...")


def parse_name(value: object) -> str:
    """A resource's name: 1 to 63 of letters, digits, space, dot, underscore and hyphen.

    ASCII only, so that names that look alike are alike.

    Raises:
        InputError: The name has other characters, is too long, or starts or ends with a mark.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise InputError(
            f"{_shown(value)} is not an acceptable name",
            hint="Use 1 to 63 ASCII letters, digits, spaces, dots, underscores and hyphens,"
            " starting and ending with a letter or digit",
        )
    return value


MAX_TITLE = 63
"""Characters of a name for people."""
_TITLE_MARKS = frozenset(" &.,'()+-_")
_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK"})
"""Scripts with letters that look the same, by the first word of their letters' names."""


def parse_title(value: object) -> str:
    """A name for people, such as ``Kea & Sons``: letters of any script, and what goes with them.

    It is brought into Unicode's composed form, so that what shows the same is the same. Latin,
    Cyrillic and Greek letters, which look alike, are not mixed.

    Raises:
        InputError: It is empty or too long, has other characters, or begins or ends with a mark.
    """
    title = unicodedata.normalize("NFC", value) if isinstance(value, str) else ""
    scripts = {unicodedata.name(char, "").split(" ")[0] for char in title if char.isalpha()}
    good = (
        1 <= len(title) <= MAX_TITLE
        and title == unicodedata.normalize("NFKC", title)
        and all(_in_title(char) for char in title)
        and (title[0].isalnum() and (title[-1] in ".)" or title[-1] not in _TITLE_MARKS))
        and len(scripts & _ALIKE) <= 1
    )
    if not good:
        raise InputError(
            f"{_shown(value)} is not an acceptable name",
            hint=f"Use 1 to {MAX_TITLE} letters of one script, digits, spaces and any of & . , '"
            " ( ) + - _, beginning with a letter or digit and not ending with a space",
        )
    return title


def _in_title(char: str) -> bool:
    if char.isascii():
        return char.isalnum() or char in _TITLE_MARKS
    return char.isalpha() or unicodedata.category(char) in ("Mn", "Mc")


def parse_hostname(value: object) -> str:
    """An instance's or node's name: one DNS label (RFC 1123), 1 to 63 characters.

    Raises:
        InputError: It is not a DNS label.
    """
    if not isinstance(value, str) or not _HOSTNAME.fullmatch(value):
        raise InputError(
            f"{_shown(value)} is not an acceptable name",
            hint="Use 1 to 63 ASCII letters, digits and hyphens,"
            " starting and ending with a letter or digit",
        )
    return value


def parse_time(value: object) -> dt.datetime:
    """A moment in UTC of an ISO 8601 date or time; a date means its first moment.

    Raises:
        InputError: It is not ISO 8601.
    """
    if isinstance(value, dt.datetime):
        moment = value
    else:
        try:
            moment = dt.datetime.fromisoformat(str(value).strip())
        except ValueError:
            raise InputError(
                f"{value!r} is not a date", hint="Write 2030-01-31 or 2030-01-31T12:00:00Z"
            ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return moment.astimezone(dt.UTC)


def format_time(moment: dt.datetime) -> str:
    """A moment as ISO 8601 in UTC with seconds, such as ``2030-01-31T12:00:00Z``."""
    return moment.astimezone(dt.UTC).replace(microsecond=0).isoformat()[:19] + "Z"
