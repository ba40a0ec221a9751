"""Keyboard layouts: those that a console can be used with, and taking one at once.

The names are XKB's, as in /etc/default/keyboard (keyboard(5)). Layouts that type no Latin letters
without a second one are left out: nobody could log in with them.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import subprocess
import sys

DEFAULT = "us"
LAYOUTS = {
    "us": "English (US)",
    "gb": "English (UK)",
    "ie": "English (Ireland)",
    "za": "English (South Africa)",
    "al": "Albanian",
    "ba": "Bosnian",
    "hr": "Croatian",
    "cz": "Czech",
    "dk": "Danish",
    "nl": "Dutch",
    "epo": "Esperanto",
    "ee": "Estonian",
    "fo": "Faroese",
    "fi": "Finnish",
    "fr": "French",
    "be": "French, Dutch (Belgium)",
    "ca": "French (Canada)",
    "de": "German",
    "at": "German (Austria)",
    "ch": "German (Switzerland)",
    "hu": "Hungarian",
    "is": "Icelandic",
    "it": "Italian",
    "jp": "Japanese",
    "kr": "Korean",
    "lv": "Latvian",
    "lt": "Lithuanian",
    "mt": "Maltese",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "br": "Portuguese (Brazil)",
    "ro": "Romanian",
    "sk": "Slovak",
    "si": "Slovenian",
    "es": "Spanish",
    "latam": "Spanish (Latin America)",
    "se": "Swedish",
    "tr": "Turkish",
    "vn": "Vietnamese",
}
FILE = pathlib.Path("/etc/default/keyboard")


def settings(layout: str) -> str:
    """The contents of /etc/default/keyboard."""
    return (
        "# Written by pextra-installer; see keyboard(5).\n"
        f'XKBMODEL="pc105"\nXKBLAYOUT="{layout}"\nXKBVARIANT=""\nXKBOPTIONS=""\nBACKSPACE="guess"\n'
    )


def take(layout: str, file: pathlib.Path = FILE) -> None:
    """Have this machine's own console use a layout; a serial one has none, nor has SSH.

    What fails shows in what is typed: nothing else depends on it.
    """
    with contextlib.suppress(OSError, ValueError):
        terminal = os.ttyname(sys.stdin.fileno())
        if re.fullmatch(r"/dev/tty\d+", terminal):
            file.write_text(settings(layout), encoding="ascii")
            argv = ["setupcon", "--keyboard-only", "--force"]
            subprocess.run(argv, capture_output=True, check=False)
