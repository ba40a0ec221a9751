# SPDX-License-Identifier: Apache-2.0
"""What each organization has of its own, and beside it what is predefined and belongs to none."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, TypeVar

from pextra.engine.world import World
from pextra.kinds.common import ORGANIZATION
from pextra.model import ids, kinds
from pextra.model.errors import ConflictError, NotFoundError
from pextra.model.names import KindName
from pextra.model.request import Request, label
from pextra.model.returned import Returned

if TYPE_CHECKING:
    from typing import TypedDict

    class Owned(TypedDict):
        """A row that belongs to an organization, or to none."""

        id: str
        name: str
        organization_id: str | None


R = TypeVar("R", bound="Owned")

OF_SOME = dataclasses.replace(
    ORGANIZATION,
    returned=Returned(
        "Identifier of the organization that it belongs to, V(null) of a predefined one."
    ),
)
"""The organization of what can also be predefined."""


def organization_of(
    request: Request, found: Mapping[str, str | None], world: World
) -> Mapping[str, str | None]:
    """The columns of a request's references; the only organization where none is named."""
    if "id" in request.values or "organization_id" in found:
        return found
    return {**found, "organization_id": world.only(kinds.ORGANIZATION, request.label)["id"]}


def require(
    kind: KindName[R],
    ref: str,
    organization_id: str | None,
    world: World,
    predefined: Mapping[str, str],
) -> R:
    """What an identifier or name means to an organization: its own, or a predefined one.

    Args:
        kind: The kind.
        ref: The identifier or name.
        organization_id: The organization.
        world: The rows.
        predefined: The identifiers of what is predefined, by name.

    Raises:
        NotFoundError: The organization has nothing of that, whatever others have.
    """
    known = predefined.get(ref.casefold())
    if known is not None:
        return world.row(kind, known)
    if ids.is_id(world.specs[kind].prefix, ref):
        row = world.get(kind, ref)
        if row is not None and row["organization_id"] in (None, organization_id):
            return row
        raise NotFoundError("does not exist", resource=label(kind, ref))
    try:
        return world.require(kind, ref, {"organization_id": organization_id})
    except NotFoundError as error:
        near = difflib.get_close_matches(ref, predefined, 1)
        if near:
            error.hint = f'Did you mean "{near[0]}"?'
        raise


def check_own(
    request: Request, current: Owned | None, row: Owned, predefined: Container[str]
) -> None:
    """Refuse to change what is predefined, and to have something else of its name.

    Raises:
        ConflictError: It is predefined, or its name is.
    """
    copied = "Copy it under another name, with copy_of"
    if current is not None and current["organization_id"] is None:
        raise ConflictError(
            "it is predefined, and cannot be changed", resource=request.label, hint=copied
        )
    if row["name"].casefold() in predefined:
        raise ConflictError(
            f"the name is that of a predefined {request.kind}", resource=request.label, hint=copied
        )


def check_removable(request: Request, current: Owned) -> None:
    """Refuse to remove what is predefined.

    Raises:
        ConflictError: It is.
    """
    if current["organization_id"] is None:
        raise ConflictError("it is predefined, and stays", resource=request.label)


def named(names: list[str]) -> str:
    """Names as messages list them, a few of many."""
    shown = ", ".join(sorted(names)[:5])
    return f"{shown}, ..." if len(names) > 5 else shown
