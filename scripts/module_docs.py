"""The documentation of a kind's module and of its list, from the kind's tables and its ``docs.py``.

Everything is returned as dictionaries of DOCUMENTATION and RETURN, in the order of writing.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pextra.kinds.info import AnyInfo
from pextra.kinds.registry import KINDS
from pextra.kinds.views import INFOS
from pextra.model.documentation import KindDocs, Text, paragraphs
from pextra.model.errors import InputError
from pextra.model.fields import Change, Field
from pextra.model.returned import Returned
from pextra.model.spec import KindSpec

_AUTHOR = "pextra-ce contributors (@pextra-ce)"
_CODES = {
    "invalid_input": "an option is not acceptable by itself.",
    "not_found": "something that was referred to does not exist.",
    "conflict": "what was asked contradicts what is there.",
    "foreign": "the name belongs to something on the node that others made.",
    "guard": "the node was not reached after the change, and has gone back or will.",
    "restart_required": "a change needs a restart that was not allowed.",
    "unsupported": "the node lacks what the request needs.",
    "host": "the node's hypervisor, network or disk refused, or did not answer in time.",
    "verification": "the node still differs after applying.",
    "secret": "a secret cannot be encrypted or read, as the node does not have the key.",
    "store": "the database cannot be reached or used.",
}
_EVERY_KIND = {"invalid_input", "not_found", "conflict", "store"}
_REFUSED = "failure, unless Ansible itself refuses an option"


def docs_of(kind: str) -> KindDocs:
    """What a kind says of itself besides its fields."""
    found: KindDocs = importlib.import_module(f"pextra.kinds.{kind}.docs").DOCS
    return found


def sample_id(prefix: str) -> str:
    """An identifier for samples, the same wherever a kind's is shown."""
    digest = hashlib.sha256(prefix.encode()).digest()
    return f"{prefix}-{base64.urlsafe_b64encode(digest).decode()[:21]}"


def module(kind: str) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """DOCUMENTATION, EXAMPLES and RETURN of what makes, changes and removes a kind."""
    spec, docs = KINDS[kind].spec, docs_of(kind)
    fragments = ["store", "attributes", "resource"]
    head = _head(kind, docs.module, fragments)
    fields = [item for item in spec.accepts if item.name not in ("id", "state")]
    options = {item.name: _option(item, spec) for item in fields}
    options["state"] = {
        "description": [f"V({name}) {docs.states[name]}" for name in spec.states],
        "type": "str",
        "choices": list(spec.states),
        "default": spec.states[0],
    }
    returned = {
        "changed": {
            "description": "Whether anything changed; in check mode, whether anything would.",
            "returned": "success",
            "type": "bool",
            "sample": True,
        },
        kind: {
            "description": f"The {docs.noun} after the task, V(null) where it is absent.",
            "returned": "success",
            "type": "dict",
            "contains": _values(_of_module(spec, docs)),
        },
        "plan": _plan(spec, docs),
        "code": {
            "description": [
                "The kind of failure. V(plan) if the request was refused as a whole, with the"
                " reasons in RV(errors); else the code of the only error."
            ],
            "returned": _REFUSED,
            "type": "str",
            "sample": "plan",
        },
        "errors": _errors(spec, docs),
    }
    return _documentation(head, options, docs.module), docs.module.examples, returned


def info(kind: str) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """DOCUMENTATION, EXAMPLES and RETURN of what lists a kind."""
    spec, docs, table = KINDS[kind].spec, docs_of(kind), INFOS[kind]
    head = _head(f"{kind}_info", docs.info, ["store", "attributes.info", "listing"])
    name = [] if spec.key.endswith("_id") else [spec.key]
    options = {item: _filter("Only the ones with this name.") for item in name}
    for parent in table.parents:
        noun = docs_of(parent).noun if parent != "storage_pool" else "storage pool"
        options[parent] = _filter(f"Only those of this {noun}, by id or name.")
    options["fields"] = {
        "description": [
            "Only these fields are returned, and only what they need is read.",
            _left_out(table),
        ],
        "type": "list",
        "elements": "str",
        "choices": sorted(table.fields),
    }
    by = "name" if name else f"name of the {spec.key.removesuffix('_id')}"
    returned = {
        table.plural: {
            "description": f"The {docs.nouns} that match, sorted by {by}.",
            "returned": "success",
            "type": "list",
            "elements": "dict",
            "contains": _values(_of_info(spec, table)),
        },
        **_INFO_FAILURE,
    }
    return _documentation(head, options, docs.info), docs.info.examples, returned


def _head(name: str, text: Text, fragments: list[str]) -> dict[str, Any]:
    places = [*fragments, *([f"{fragments[-1]}.host"] if text.on_host else [])]
    return {
        "module": name,
        "short_description": text.short,
        "version_added": "0.1.0",
        "description": list(text.description),
        "author": [_AUTHOR],
        "extends_documentation_fragment": [f"pextra.ce.{place}" for place in places],
    }


def _documentation(head: dict[str, Any], options: dict[str, Any], text: Text) -> dict[str, Any]:
    seealso: list[dict[str, str]] = [{"module": f"pextra.ce.{name}"} for name in text.seealso]
    seealso += [
        {"name": item.name, "description": item.description, "link": item.url}
        for item in text.links
    ]
    rest = {
        "requirements": list(text.requirements),
        "notes": list(text.notes),
        "seealso": seealso,
    }
    return {**head, "options": options} | {key: item for key, item in rest.items() if item}


def _left_out(table: AnyInfo) -> str:
    """What is returned where no fields are asked for."""
    usual = table.usual
    long = " and ".join(f"V({name})" for name in table.fields if name not in usual)
    return f"All of them{f' but {long}' if long else ''} when it is left out or empty."


def _filter(text: str) -> dict[str, Any]:
    return {"description": [text], "type": "str"}


def _option(item: Field, spec: KindSpec) -> dict[str, Any]:
    """An option at the top; what a new resource gets is the engine's, and said in words."""
    steering = item in spec.options
    renames = item.name == spec.key and item.change is not Change.IMMUTABLE
    found = _described(item, None, renames=renames, words=not steering)
    if steering and item.default is not None:
        found["default"] = item.default
    return found


def _described(
    item: Field, default: Any, *, renames: bool = False, words: bool = True
) -> dict[str, Any]:
    """An option with what is in it.

    Raises:
        InputError: The field's table does not say what it is.
    """
    if not item.doc:
        raise InputError(f"the field {item.name} is not documented", hint="Give it doc=(...)")
    said = item if words else Field(item.name, item.type, unit=item.unit, doc=item.doc)
    found: dict[str, Any] = {
        "description": list(paragraphs(said, default, renames=renames)),
        "type": item.type,
    }
    if item.elements:
        found["elements"] = item.elements
    if item.choices:
        found["choices"] = list(item.choices)
    if item.options:
        inner = item.default if isinstance(item.default, Mapping) else {}
        found["suboptions"] = {
            option.name: _suboption(option, inner.get(option.name)) for option in item.options
        }
    return found


def _suboption(item: Field, default: Any) -> dict[str, Any]:
    """What Ansible itself requires in a dictionary is not said in words too."""
    plain = Field(
        item.name, item.type, default=item.default, nullable=item.nullable, secret=item.secret,
        change=item.change, choices=item.choices, elements=item.elements, options=item.options,
        unit=item.unit, doc=item.doc,
    )  # fmt: skip
    found = _described(plain, default)
    return {**found, "required": True} if item.required else found


def _of_module(spec: KindSpec, docs: KindDocs) -> dict[str, Returned]:
    return {**spec.shown, **docs.returned}


def _of_info(spec: KindSpec, table: AnyInfo) -> dict[str, Returned]:
    found: dict[str, Returned] = {}
    for name, item in spec.shown.items():
        if name not in table.computed:
            found[name] = item
        parent = name.removesuffix("_id")
        if parent in table.parents:
            found[parent] = _parent(parent, item)
    return found | {name: item.returned for name, item in table.computed.items()}


def _parent(kind: str, id: Returned) -> Returned:
    """The name beside an identifier."""
    view, spec = docs_of(kind), KINDS[kind].spec
    noun = "storage pool" if kind == "storage_pool" else view.noun
    absent = any("V(null)" in text for text in id.paragraphs)
    text = f"Name of the {noun}" + (", V(null) without one." if absent else ".")
    return Returned(text, sample=spec.shown[spec.key].sample)


def _values(values: Mapping[str, Returned]) -> dict[str, Any]:
    return {name: _value(name, item) for name, item in values.items()}


def _value(name: str, item: Returned) -> dict[str, Any]:
    found: dict[str, Any] = {"description": _text(item.paragraphs), "type": item.type}
    if item.elements:
        found["elements"] = item.elements
    if item.contains:
        return {**found, "contains": _values(item.contains)}
    return {**found, "sample": _sample(name, item)}


def _text(items: Sequence[str]) -> str | list[str]:
    """Paragraphs as they are written; one stands alone."""
    return list(items) if len(items) > 1 else items[0]


def _sample(name: str, item: Returned) -> Any:
    """A value's sample; of an identifier, the one of its kind."""
    prefix = re.match(r"Identifier, C\((\w+)-\)", item.paragraphs[0])
    kind = name.removesuffix("_id")
    if item.sample is None and prefix:
        return sample_id(prefix[1])
    if item.sample is None and kind != name and kind in KINDS:
        return sample_id(KINDS[kind].spec.prefix)
    return item.sample


def _plan(spec: KindSpec, docs: KindDocs) -> dict[str, Any]:
    steps = docs.steps
    finish = (
        " V(delete), V(finish) for what an interrupted run left unfinished, or V(keep) for what it"
        " was to remove."
    )
    stored = f"In the store, V(create), V(update),{finish if spec.on_host else ' or V(delete).'}"
    action, before, after = steps.sample
    never, may = "Always V(false) for this kind.", "by restarting the instance."
    was = "The values that the step changes, as they were. V(null) where there was nothing."
    return {
        "description": [
            "The steps in the order in which they were carried out; in check mode, would be."
            " Empty if everything is as asked already."
        ],
        "returned": "success",
        "type": "list",
        "elements": "dict",
        "contains": {
            "kind": {
                "description": f"Kind of the resource, V({spec.name}){steps.kinds}.",
                "type": "str",
                "sample": spec.name,
            },
            "name": {"description": "Its name.", "type": "str", "sample": steps.name},
            "action": {
                "description": _text((stored, *steps.action)),
                "type": "str",
                "sample": action,
            },
            "before": {
                "description": _text((was, *steps.before)),
                "type": "dict",
                "sample": before,
            },
            "after": {
                "description": "The values as they become. V(null) where nothing is left.",
                "type": "dict",
                "sample": after,
            },
            "needs_restart": {
                "description": f"Whether it takes effect only {may}" if steps.restarts else never,
                "type": "bool",
                "sample": False,
            },
        },
    }


def _errors(spec: KindSpec, docs: KindDocs) -> dict[str, Any]:
    codes = [
        f"V({name}), {text}"
        for name, text in _CODES.items()
        if name in _EVERY_KIND or name in docs.codes or (name == "secret" and spec.encrypted)
    ]
    failure = docs.failure
    return {
        "description": "What is wrong; after V(plan), everything that was found wrong.",
        "returned": _REFUSED,
        "type": "list",
        "elements": "dict",
        "contains": {
            "code": {
                "description": [*codes, *docs.more_codes],
                "type": "str",
                "sample": failure.code,
            },
            "resource": {
                "description": "Kind and name of what it is about, V(null) if it is about no"
                " resource.",
                "type": "str",
                "sample": failure.resource,
            },
            "message": {
                "description": "What was asked and what is there.",
                "type": "str",
                "sample": failure.message,
            },
            "hint": {
                "description": "What to do about it, V(null) if the message says it all.",
                "type": "str",
                "sample": failure.hint,
            },
        },
    }


def _failure(values: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    return {
        name: {"description": text, "type": "str", "sample": sample}
        for name, text, sample in values
    }


_INFO_FAILURE = {
    "code": {
        "description": "What sort of error it is, such as V(not_found), V(conflict), V(store) or"
        " V(host).",
        "returned": "failure",
        "type": "str",
        "sample": "not_found",
    },
    "errors": {
        "description": "What is wrong, V(msg) taken apart.",
        "returned": "failure",
        "type": "list",
        "elements": "dict",
        "contains": _failure(
            (
                ("code", "As RV(code).", "not_found"),
                (
                    "resource",
                    "Kind and name of what it is about, V(null) where it is about none.",
                    'organization "Exampel"',
                ),
                ("message", "What was asked, and what is there.", "does not exist"),
                (
                    "hint",
                    "What to do about it, V(null) where nothing better is known than the message.",
                    'Did you mean "Example"?',
                ),
            )
        ),
    },
}
