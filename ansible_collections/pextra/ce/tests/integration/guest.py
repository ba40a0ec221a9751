# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest of one boot sector: up at once, it heeds the power button and needs no other file.

It runs on x86_64 with BIOS firmware. It prints a line on the serial console, then sleeps until the
power button is pressed (as libvirt's shutdown does), and powers off.

Sources: RBIL, interrupt 14h function 01h (write to the serial port); ACPI 6.5, section 4.8.3.1
(PM1 event registers) and 4.8.3.2 (PM1 control registers); QEMU's ICH9 has them at port 600h.
"""

from __future__ import annotations

from pathlib import Path

LOGIN = "mail login: "
SECTOR = 512
_LOADED_AT = 0x7C00
_CODE = (
    b"\x31\xc0"  # xor ax, ax
    b"\x8e\xd8"  # mov ds, ax
    b"\xbe??"  # mov si, text
    b"\xac"  # next: lodsb
    b"\x84\xc0"  # test al, al
    b"\x74\x08"  # jz button
    b"\xb4\x01"  # mov ah, 1
    b"\x31\xd2"  # xor dx, dx
    b"\xcd\x14"  # int 14h
    b"\xeb\xf3"  # jmp next
    b"\xba\x02\x06"  # button: mov dx, PM1 enable
    b"\xb8\x00\x01"  # mov ax, power button
    b"\xef"  # out dx, ax
    b"\xfb"  # sleep: sti
    b"\xf4"  # hlt
    b"\xba\x00\x06"  # mov dx, PM1 status
    b"\xed"  # in ax, dx
    b"\xf6\xc4\x01"  # test ah, power button
    b"\x74\xf5"  # jz sleep
    b"\xba\x04\x06"  # mov dx, PM1 control
    b"\xb8\x00\x20"  # mov ax, sleep enable, S5
    b"\xef"  # out dx, ax
    b"\xeb\xfe"  # here: jmp here
)


def boot_sector(line: str = LOGIN) -> bytes:
    """The sector of a guest that prints this line when it is up."""
    text = (_LOADED_AT + len(_CODE)).to_bytes(2, "little")
    sector = _CODE.replace(b"??", text) + b"\r\n" + line.encode("ascii") + b"\0"
    return sector.ljust(SECTOR - 2, b"\0") + b"\x55\xaa"


def write_image(path: Path, line: str = LOGIN, size: int = 1 << 20) -> Path:
    """A raw disk image of such a guest, of ``size`` bytes."""
    path.write_bytes(boot_sector(line).ljust(size, b"\0"))
    return path
