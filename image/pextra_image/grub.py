# SPDX-License-Identifier: Apache-2.0
"""GRUB's configuration: one menu, the same on the screen and on the serial console."""

from __future__ import annotations

from dataclasses import dataclass

from pextra_image.architecture import Architecture


@dataclass(frozen=True, slots=True)
class Entry:
    """A menu entry that starts the live system, with words for the kernel.

    :ivar serial: on the serial console, and not only on the screen.
    :ivar name: what GRUB's settings call it.
    """

    title: str
    words: str
    serial: bool = False
    name: str = ""


RESCUE = (
    Entry("Rescue shell", "systemd.unit=pextra-rescue.target"),
    Entry("Rescue shell on the serial console", "systemd.unit=pextra-rescue.target", serial=True),
)

PRODUCT = "Pextra CloudEnvironment"
AUTOMATED = "automated"
_INSTALLER = "systemd.unit=pextra-installer.target"
INSTALL = (
    Entry(f"Install {PRODUCT}", _INSTALLER),
    Entry(f"Install {PRODUCT} on the serial console", _INSTALLER, serial=True),
    Entry(
        f"Automated install of {PRODUCT}",
        f"{_INSTALLER} pextra.install=automated",
        serial=True,
        name=AUTOMATED,
    ),
)
"""Only on a medium whose root file system has the package pextra-installer."""

LOCAL = "local"
LOCAL_DISK = f"""\
menuentry "Boot from the local disk" --id {LOCAL} {{
  if [ "$grub_platform" = pc ]; then
    # A USB stick that was booted is the first disk itself.
    if regexp "^hd0" "$medium"; then set root=hd1; else set root=hd0; fi
    chainloader +1
  else
    # The firmware goes on with its next boot entry.
    exit
  fi
}}
"""


def marker(uuid: str) -> str:
    """Name the file on the medium by which GRUB finds it: no other medium has it."""
    return f"/.disk/id-{uuid}"


def first_stage(uuid: str) -> str:
    """Compose what GRUB runs first, wherever its image was loaded from: it looks for the medium."""
    return (
        f"search --no-floppy --set=root --file {marker(uuid)}\n"
        "set prefix=($root)/boot/grub\n"
        "configfile ($root)/boot/grub/grub.cfg\n"
    )


def consoles(architecture: Architecture) -> str:
    """Name the consoles of an entry for the serial one; the screen alone is the kernel's default.

    The last is the one that the system talks to.
    """
    return f"console=tty0 console={architecture.serial},115200n8"


def menu(
    product: str, installer: bool, architecture: Architecture, *, answers: bool = False
) -> str:
    """Compose the menu. Where there are answers, the automated installation is what it begins,
    unless the machine is a node already: then its disk.

    :param product: name and version, for the head of the menu.
    :param installer: whether the medium has one.
    :param answers: whether it has answers; a volume with some is looked for when it starts.
    """
    entries = (*INSTALL, *RESCUE) if installer else RESCUE
    head = _HEAD.format(product=product) + (_SERIAL if architecture.bios else "") + _COLOURS
    if installer:
        head += _AUTOMATED if answers else _LOOK_FOR_ANSWERS
    return head + "".join(_live(entry, architecture) for entry in entries) + LOCAL_DISK


def _live(entry: Entry, architecture: Architecture) -> str:
    words = f"{entry.words} {consoles(architecture)}" if entry.serial else entry.words
    name = f" --id {entry.name}" if entry.name else ""
    return (
        f'menuentry "{entry.title}"{name} {{\n'
        f"  linux /live/vmlinuz boot=live components noeject {_QUIET} {words}\n"
        "  initrd /live/initrd.img /live/uuid.img\n"
        "}\n"
    )


# Signed GRUB has these modules built in, and may load no others.
_HEAD = """\
# {product}
set medium="$root"
set default=0
set timeout=15
"""

# A machine without a BIOS has the serial port as a console of its firmware already.
_SERIAL = """\
if serial --unit=0 --speed=115200 --word=8 --parity=no --stop=1; then
  terminal_input console serial
  terminal_output console serial
fi
"""

# The last thing that an installation writes. A machine that starts from this medium first would be
# installed again and again.
_NODE = "/var/lib/pextra-installer/answers.yaml"
_AUTOMATED = f"""\
if search --no-floppy --file --set=node {_NODE}; then
  set default={LOCAL}
else
  set default={AUTOMATED}
fi
"""

# The label as a FAT volume has it, which keeps 11 characters, and as others have it.
_LOOK_FOR_ANSWERS = f"""\
set found=no
if search --no-floppy --label --set=answers PEXTRA-ANSW; then
  set found=yes
elif search --no-floppy --label --set=answers PEXTRA-ANSWERS; then
  set found=yes
fi
if [ "$found" = yes ]; then
{_AUTOMATED}fi
"""

# Without it systemd says each second which job it waits for: an installation is one, and the line
# fills the log of a serial console.
_QUIET = "systemd.show_status=error"

_COLOURS = """\
set menu_color_normal=white/black
set menu_color_highlight=black/light-gray
"""
