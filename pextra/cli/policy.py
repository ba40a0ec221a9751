# SPDX-License-Identifier: Apache-2.0
"""The command ``pextra policy``: what policies decide, and why."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from pextra.calls import registry
from pextra.cli import terminal
from pextra.host.identity import local

ALLOWED, DENIED = 0, 3
ABOUT = "Ask what the policies of a user's roles decide. Nothing is done, and nothing is changed."
EXAMPLES = """
examples:
  pextra policy test anna instance.start web1
  pextra policy test anna volume.create
  pextra policy test anna instance.read web1 --at 2031-01-26T22:00:00Z --from 192.0.2.7 --door api

The exit status is 3 where it is denied.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``pextra policy test``."""
    parser.add_argument("user", metavar="USER", help="the user, by name or id")
    parser.add_argument("action", metavar="ACTION", help="what it would do, such as volume.create")
    parser.add_argument(
        "resource", metavar="RESOURCE", nargs="?",
        help="what to, by name or id (default: something new in its organization)",
    )  # fmt: skip
    parser.add_argument("--organization", metavar="NAME", help="the user's, by name or id")
    parser.add_argument("--at", metavar="TIME", help="when, as ISO 8601 (default: now)")
    parser.add_argument(
        "--from", metavar="ADDRESS", dest="source_address", help="from which IP address"
    )
    parser.add_argument("--door", metavar="DOOR", help="through what, such as ansible, cli or api")
    parser.add_argument("--json", action="store_true", help="print JSON")


def test(arguments: argparse.Namespace) -> int:
    """Ask, and say what is decided."""
    names = ("user", "organization", "action", "resource", "at", "source_address", "door")
    given = {name: value for name in names if (value := getattr(arguments, name)) is not None}
    if arguments.database:
        given["database"] = arguments.database
    answer = registry.call(registry.find("policy_decision_info"), given, local("cli"))
    if arguments.json:
        terminal.say_json(answer)
    else:
        _say(answer)
    return ALLOWED if answer["allowed"] else DENIED


def _say(answer: Mapping[str, Any]) -> None:
    role = f" (by the role {answer['role']})" if answer["role"] else ""
    terminal.say(f"{'allowed' if answer['allowed'] else 'denied'}: {answer['why']}{role}")
