"""Where the installed node takes the platform's own packages from: a source of apt. Pure."""

from __future__ import annotations

from pextra_installer.plan import Packages

SOURCE = "/etc/apt/sources.list.d/pextra-ce.sources"
"""The role pextra.ce.repository sets it aside, where a node takes everything from a mirror."""
KEY = "/etc/apt/keyrings/pextra-ce.asc"
_NOWHERE = "https://repository.invalid/pextra-ce"
_HEAD = """\
# Written by pextra-installer: the platform's own packages, for `apt update && apt upgrade`.
"""
_DISABLED = f"""\
# To use it, put the repository's address in URIs and its public key into
# {KEY}, and enable it.
Enabled: no
"""


def files(packages: Packages) -> list[dict[str, str]]:
    """The files of the new system, as the role pextra.ce.install takes them.

    Without an address the source is there, and disabled: nobody has to know its form.
    """
    enabled = packages.source is not None
    source = (
        f"{_HEAD}{'' if enabled else _DISABLED}"
        f"Types: deb\nURIs: {packages.source or _NOWHERE}\n"
        f"Suites: bookworm\nComponents: common meta\nSigned-By: {KEY}\n"
    )
    key = [{"path": KEY, "content": packages.key}] if packages.key is not None else []
    return [{"path": SOURCE, "content": source}, *key]
