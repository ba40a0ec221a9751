# SPDX-License-Identifier: Apache-2.0
"""The network interfaces of this machine."""

from __future__ import annotations

import dataclasses

from pextra.calls.call import Answer, Call, Procedure, options
from pextra.host.network import nics
from pextra.model.fields import Field

FIELDS = (Field("name"), Field("virtual", "bool", default=False))


def _list(call: Call) -> Answer:
    given = options(FIELDS, call.given, "nic_info")
    name, virtual = given["name"], given["virtual"]
    found = [
        dataclasses.asdict(card)
        for card in nics.take()
        if name in (None, card.name) and (virtual or name or card.kind == "physical")
    ]
    return {"changed": False, "nics": found}


PROCEDURES = (Procedure("nic_info", FIELDS, _list, uses_store=False),)
