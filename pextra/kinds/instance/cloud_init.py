# SPDX-License-Identifier: Apache-2.0
"""What a guest's cloud-init is given, brought to one form, and looked at as cloud-init will.

Messages say where in a text something is wrong and never what stands there: it may be a secret.

Sources: https://cloudinit.readthedocs.io/en/latest/explanation/format.html and
https://cloudinit.readthedocs.io/en/latest/reference/network-config.html.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pextra.model import units, values
from pextra.model.errors import InputError, UnsupportedError

if TYPE_CHECKING:
    import types

    from pextra.model.rows import InstanceCloudInit

CONFIG = "#cloud-config"
DATA = ("user_data", "vendor_data")
_ARCHIVE = "#cloud-config-archive"
_UNREAD = ("#cloud-config-jsonp",)
_TEMPLATE = "## template: jinja"
_OF_A_TEMPLATE = ("{%", "{{", "{#")
"""What a template may begin with, which cloud-init fills in before it looks for a header."""
_HEADERS = (
    CONFIG, "#!", "#include", "#cloud-boothook", "#part-handler", "#upstart-job", _TEMPLATE,
)  # fmt: skip
_MIME = "mime-version:"
_CONFIG_TYPE = "text/cloud-config"
_MIME_WITHIN = 4096
"""Letters within which cloud-init looks for a message of several parts."""
_SECTIONS = ("ethernets", "bonds", "bridges", "vlans")
_MAC_KEYS = ("macaddress", "mac_address")
_QUOTED = re.compile(r"'(?!<)[^']{2,}'|\"[^\"]{2,}\"")
_SCHEMA_SECONDS = 60
_SCHEMA_PATHS = re.compile(r"(?:errors: |, )([a-z_]+(?:\.[\w-]+)*): ")


def parse_data(value: object) -> str:
    """User or vendor data as a text: a mapping becomes YAML below its header.

    Raises:
        InputError: cloud-init would not take it for what it is.
    """
    if isinstance(value, Mapping):
        text = f"{CONFIG}\n{_dumped(value)}"
    elif isinstance(value, str):
        text = str(values.convert("str", value))
    else:
        raise InputError("it is neither a text nor a mapping")
    if text:
        _check_data(text)
    return text


def _dumped(value: Mapping[str, Any]) -> str:
    text: str = _yaml().safe_dump(
        values.document(value), allow_unicode=True, default_flow_style=False, sort_keys=False,
        width=4096,
    )  # fmt: skip
    return str(values.convert("str", text))


def _check_data(text: str) -> None:
    if text[0] in "\n\r\t \ufeff":
        what = "a byte order mark" if text[0] == "\ufeff" else "a blank"
        raise InputError(
            f"it begins with {what}, where cloud-init looks for a header",
            hint=f"Its first line must be one such as {CONFIG}",
        )
    first = text.lower()
    if _MIME in first[:_MIME_WITHIN]:
        _check_parts(text)
        return
    if not first.startswith(_HEADERS):
        raise InputError(
            "its first line is no header that cloud-init knows, so it would be ignored",
            hint=f"Begin with a line such as {CONFIG} or #!/bin/sh, or give a mapping",
        )
    if first.startswith(_TEMPLATE):
        below = first.partition("\n")[2].lstrip()
        if below and not below.startswith((*_HEADERS, *_OF_A_TEMPLATE)):
            raise InputError(
                "its second line is no header that cloud-init knows, so it would be ignored",
                hint=f"Below {_TEMPLATE}, go on with a line such as {CONFIG} or #!/bin/sh",
            )
    if first.startswith(CONFIG) and not first.startswith(_UNREAD):
        found = _loaded(text)
        wanted, noun = (list, "a list") if first.startswith(_ARCHIVE) else (Mapping, "a mapping")
        if found is not None and not isinstance(found, wanted):
            raise InputError(f"what is below its header is not {noun}")


def _check_parts(text: str) -> None:
    """Look at each part of a message that cloud-init will take for a configuration."""
    from email import message_from_string

    for part in message_from_string(text).walk():
        if part.get_content_type() == _CONFIG_TYPE:
            content = part.get_payload(decode=True)
            found = _loaded(content.decode(errors="replace") if isinstance(content, bytes) else "")
            if found is not None and not isinstance(found, Mapping):
                raise InputError(f"a part of it that is {_CONFIG_TYPE} is not a mapping")


def _loaded(text: str) -> Any:
    yaml = _yaml()
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = _QUOTED.sub("...", str(getattr(error, "problem", None) or "it cannot be read"))
        raise InputError(f"it is not YAML{where}: {problem}") from None
    except (RecursionError, ValueError):
        raise InputError("it is not YAML that can be read") from None


def _yaml() -> types.ModuleType:
    try:
        import yaml
    except ImportError:
        raise UnsupportedError(
            "this node has no YAML", hint="Install the package python3-yaml"
        ) from None
    return yaml


def parse_network(value: object) -> dict[str, object]:
    """A network's configuration of version 1 or 2, a mapping or YAML.

    An address that YAML has taken for a number of base 60, being written without quotes, is itself
    again.

    Raises:
        InputError: cloud-init would not take it for what it is.
    """
    found = _loaded(str(values.convert("str", value))) if isinstance(value, str) else value
    if not isinstance(found, Mapping):
        raise InputError("it is neither a mapping nor YAML of one")
    whole = {key: _with_macs(key, item) for key, item in values.document(found).items()}
    inner = whole.get("network", whole)
    if not isinstance(inner, Mapping):
        raise InputError("network is not a mapping")
    if inner.get("config") != "disabled":
        _check_network(inner)
    return whole


def _with_macs(key: str, value: Any) -> Any:
    if key in _MAC_KEYS and isinstance(value, int) and not isinstance(value, bool):
        return units.parse_mac(value)
    if isinstance(value, Mapping):
        return {name: _with_macs(name, item) for name, item in value.items()}
    return [_with_macs(key, item) for item in value] if isinstance(value, list) else value


def _check_network(config: Mapping[str, object]) -> None:
    version = config.get("version")
    if version not in (1, 2) or isinstance(version, bool):
        raise InputError(
            f"its version is {values.quoted(version)}" if version else "it says no version",
            hint="Write version: 2, as netplan does, or version: 1",
        )
    if version == 1 and not _all_mappings(config.get("config")):
        raise InputError("of version 1, it has no list config of mappings")
    for name in _SECTIONS if version == 2 else ():
        section = config.get(name, {})
        if not isinstance(section, Mapping) or not _all_mappings([*section.values()]):
            raise InputError(f"{name} is not a mapping of names to mappings")


def _all_mappings(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(item, Mapping) for item in found)


def check_schema(current: InstanceCloudInit, before: InstanceCloudInit, resource: str) -> None:
    """Have cloud-init's own program look at what is new, where this node has it.

    Raises:
        InputError: It is against cloud-init's schema.
    """
    program = shutil.which("cloud-init")
    for name in DATA if program else ():
        text = str(current.get(name) or "")
        if program is None or text == before.get(name) or not _is_config(text):
            continue
        places = list(_against_schema(program, text))
        if places:
            raise InputError(
                f"cloud_init.{name} is against cloud-init's schema at {', '.join(places)}",
                resource=resource,
                hint="cloud-init schema --config-file FILE says what is wrong, on this node",
            )


def _against_schema(program: str, text: str) -> Iterator[str]:
    """The keys that cloud-init finds fault with. Its own words quote what stands there."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "user-data")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            done = _run([program, "schema", "--config-file", path])
        except (OSError, subprocess.TimeoutExpired):
            return  # another program of that name, or one that hangs, has no say
    if done.returncode == 0 or "schema errors" not in done.stderr + done.stdout:
        return
    document = _loaded(text)
    paths = _SCHEMA_PATHS.findall(done.stderr + done.stdout)
    known = [path for path in dict.fromkeys(paths) if _has(document, path.split("."))]
    yield from known or ["a place that it does not name"]


def _has(document: Any, path: list[str]) -> bool:
    for part in path:
        if isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        elif isinstance(document, Mapping) and part in document:
            document = document[part]
        else:
            return False
    return True


def _run(argv: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        timeout=_SCHEMA_SECONDS,
    )  # fmt: skip


def _is_config(text: str) -> bool:
    first = text.lower()
    return first.startswith(CONFIG) and not first.startswith((_ARCHIVE, *_UNREAD))
