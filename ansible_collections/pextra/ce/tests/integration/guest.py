# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The smallest guest: a boot sector that says that it is there, lets go of devices and powers off.

It runs on a q35 machine with BIOS: power management at port 0x600, where SeaBIOS puts it, and
ACPI PCI hot-plug at port 0xcc0 (QEMU's docs/specs/acpi_pci_hotplug).
"""

from __future__ import annotations

READY = "guest is ready"

_CODE = """
    31c0            ; xor ax, ax
    8ed8            ; mov ds, ax
    be 4f7c         ; mov si, message
    ; print:
    ac              ; lodsb
    84c0            ; test al, al
    7406            ; jz armed
    baf803          ; mov dx, 0x3f8     first serial port
    ee              ; out dx, al
    ebf5            ; jmp print
    ; armed:
    ba0206          ; mov dx, 0x602     enable the power button
    b80001          ; mov ax, 0x100
    ef              ; out dx, ax
    ; wait:
    fb              ; sti
    f4              ; hlt
    ba0006          ; mov dx, 0x600     was it pressed?
    ed              ; in ax, dx
    f6c401          ; test ah, 1
    7522            ; jnz off
    6631db          ; xor ebx, ebx
    ; bus:
    bad00c          ; mov dx, 0xcd0     select a bus
    6689d8          ; mov eax, ebx
    66ef            ; out dx, eax
    bac40c          ; mov dx, 0xcc4     is something to be let go of?
    66ed            ; in eax, dx
    6685c0          ; test eax, eax
    7405            ; jz next
    bac80c          ; mov dx, 0xcc8     let go of it
    66ef            ; out dx, eax
    ; next:
    43              ; inc bx
    83fb7f          ; cmp bx, 127
    72e3            ; jb bus
    ebd3            ; jmp wait
    ; off:
    ba0406          ; mov dx, 0x604     soft off
    b80020          ; mov ax, 0x2000
    ef              ; out dx, ax
    ebf7            ; jmp off
"""


_WRITING = """
    31c0            ; xor ax, ax
    8ed8            ; mov ds, ax
    ; write:
    be157c          ; mov si, packet    what follows the code
    b80043          ; mov ax, 0x4300    extended write
    b280            ; mov dl, 0x80      first disk
    cd13            ; int 0x13
    83061d7c10      ; add word [packet + 8], 16     sectors on, up to 32 MiB and from 0 again
    ebef            ; jmp write
"""


_SLEEPING = """
    31c0            ; xor ax, ax
    8ed8            ; mov ds, ax
    813e0005efbe    ; cmp word [0x500], 0xbeef  memory is kept: has it slept?
    740d            ; je awake
    c7060005efbe    ; mov word [0x500], 0xbeef
    ba0406          ; mov dx, 0x604
    b80024          ; mov ax, 0x2400    suspend to memory
    ef              ; out dx, ax
    ; awake:
    f4              ; hlt
    ebfd            ; jmp awake
"""


def sleeping_disk() -> bytes:
    """A raw disk of 1 MiB with a guest on it that sleeps, and stays awake when it was woken."""
    digits = "".join(line.partition(";")[0] for line in _SLEEPING.splitlines())
    sector = bytes.fromhex(digits)
    return (sector.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0")


def writing_disk(where: int) -> bytes:
    """A raw disk of 1 MiB with a guest on it that writes sectors from there on, in bytes."""
    digits = "".join(line.partition(";")[0] for line in _WRITING.splitlines())
    packet = bytes.fromhex("1000 0100 007c 0000")  # one sector, from 0:7c00
    sector = bytes.fromhex(digits) + packet + (where >> 9).to_bytes(8, "little")
    return (sector.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0")


def boot_disk(line: str = READY) -> bytes:
    """A raw disk of 1 MiB with a guest on it that prints this line when it is up."""
    digits = "".join(line.partition(";")[0] for line in _CODE.splitlines())
    sector = bytes.fromhex(digits) + f"{line}\r\n\0".encode()
    return (sector.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0")
