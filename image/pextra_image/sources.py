# SPDX-License-Identifier: Apache-2.0
"""Where Debian's packages come from: mirrors that were named, or those of this machine's apt."""

from __future__ import annotations

from pextra_image.run import ImageError, Programs

SUITES = ("bookworm", "bookworm-updates", "bookworm-security")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def apt_sources(programs: Programs, mirrors: tuple[str, ...]) -> str:
    """Compose a sources.list for Debian 12.

    :param mirrors: the main archive, and, if there are two, the one of security updates.
    :raises ImageError: neither an option nor this machine's apt names a mirror of Debian 12.
    """
    if len(mirrors) > 2:
        raise ImageError("At most two mirrors: one for Debian, one for its security updates")
    if mirrors:
        found = {"bookworm": mirrors[0], "bookworm-updates": mirrors[0]}
        if len(mirrors) == 2:
            found["bookworm-security"] = mirrors[1]
    else:
        found = _configured(programs)
    lines = [
        f"deb [signed-by={KEYRING}] {found[suite]} {suite} main"
        for suite in SUITES
        if suite in found
    ]
    return "\n".join([*lines, ""])


def _configured(programs: Programs) -> dict[str, str]:
    """Ask this machine's apt for its mirrors: the codename of a suite to an address."""
    form = "$(ORIGIN)\t$(CODENAME)\t$(COMPONENT)\t$(REPO_URI)"
    listing = programs.read(["apt-get", "indextargets", "--format", form, "Created-By: Packages"])
    found: dict[str, str] = {}
    for line in listing.splitlines():
        origin, suite, component, address = line.split("\t")
        if origin == "Debian" and component == "main" and suite in SUITES:
            found.setdefault(suite, address)
    if "bookworm" not in found:
        raise ImageError(
            "This machine's apt has no source of Debian 12 (bookworm) main; name a mirror with "
            "--mirror, or run apt-get update"
        )
    return found
