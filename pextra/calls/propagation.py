# SPDX-License-Identifier: Apache-2.0
"""Bringing this node's storage pools to what the store says of them."""

from __future__ import annotations

from collections.abc import Sequence

from pextra.calls.call import Answer, Call, Procedure, options, told
from pextra.kinds.storage_pool.propagation.run import Propagated, propagate
from pextra.model.errors import HostError, IncompleteError
from pextra.model.fields import Field
from pextra.model.request import label

FIELDS = (Field("storage_pools", "list", elements="str"),)


def _propagate(call: Call) -> Answer:
    """See to the pools; fail in the end if one of them could not be seen to."""
    names = options(FIELDS, call.given, "storage_pool_propagation")["storage_pools"]
    done = propagate(call.store, call.host, call.principal, names, check=call.check)
    found = result(done, diff=call.diff)
    failed = [
        HostError(item.error, resource=label("storage_pool", item.name))
        for item in done
        if item.error is not None
    ]
    if failed:
        raise IncompleteError(failed, found)
    return found


def result(done: Sequence[Propagated], *, diff: bool) -> Answer:
    """What is returned."""
    pools = [
        {
            "id": item.id,
            "name": item.name,
            "branch": item.branch.value,
            "changed": bool(item.steps),
            "error": item.error,
        }
        for item in done
    ]
    steps = [step for item in done for step in item.steps]
    return {**told(steps, diff=diff), "storage_pools": pools}


PROCEDURES = (Procedure("storage_pool_propagation", FIELDS, _propagate),)
