"""What of a chat request a provider wants otherwise, quirk by quirk.

``catalog/presets.toml`` says in one sentence what each quirk does: a call is mended so
that it means the same, loses a mere label, or is refused by name; nothing else happens
to it. What does not have the form of the API reference is left for the provider to
judge. ``reasoning_parameters`` leaves ``temperature`` alone: whether a model takes it
depends on its effort, and OpenAI refuses it by name itself.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

import msgspec
from msgspec import Raw

from lightweight.dialects.gemini_contents import NO_SIGNATURE
from lightweight.dialects.gemini_models import abilities_of
from lightweight.dialects.seals import without_carried
from lightweight.dialects.typed import given, unsupported
from lightweight.errors import BadRequest
from lightweight.records import Headers, Target

_Fields: TypeAlias = dict[str, Raw]
_T = TypeVar("_T")

_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_ITEMS = msgspec.json.Decoder(list[Raw])
_NUMBER = msgspec.json.Decoder(float)
_STRING = msgspec.json.Decoder(str)

_NOTHING = (b"0", b"0.0", b"{}", b"[]", b'""')
"""What asks for what leaving the field out would give."""

_PENALTIES = ("presence_penalty", "frequency_penalty")
_REFUSED_BY_SCHEMAS = ("$schema", "additionalProperties", "strict")
_SCHEMAS_BY_NAME = ("properties", "patternProperties", "$defs", "definitions")
_SCHEMAS = ("items", "prefixItems", "anyOf", "oneOf", "allOf", "not")


def headers_for(target: Target) -> Headers:
    """Give the headers that a target needs beside the dialect's."""
    if "unknown_needs_header" in target.quirks:
        return {"extra-parameters": "pass-through"}
    return {}


def suited(fields: Mapping[str, Raw], target: Target) -> Mapping[str, Raw]:
    """Give a request's fields as ``target`` takes them.

    Raises BadRequest, ``param`` set, for what it does not take in any form.
    """
    if not target.quirks:
        return fields
    suiting = dict(fields)
    for quirk, suit in _SUITS.items():
        if quirk in target.quirks:
            suit(suiting)
    if "thought_signatures" in target.quirks:
        _sign(suiting, last_resort=abilities_of(target.model).sealed_calls)
    return suiting


# -- one field each ----------------------------------------------------------------


def _renamed(old: str, new: str) -> Callable[[_Fields], None]:
    def rename(fields: _Fields) -> None:
        raw = fields.pop(old, Raw())
        if given(raw):
            fields[new] = raw

    return rename


def _without(*names: str) -> Callable[[_Fields], None]:
    def drop(fields: _Fields) -> None:
        for name in names:
            fields.pop(name, None)

    return drop


def _refused(*names: str) -> Callable[[_Fields], None]:
    def refuse(fields: _Fields) -> None:
        for name in names:
            raw = fields.pop(name, Raw())
            if given(raw) and bytes(raw) not in _NOTHING:
                raise unsupported(name, "This model's provider does not take it.")

    return refuse


def _choose_any(fields: _Fields) -> None:
    if bytes(fields.get("tool_choice", b"")) == b'"required"':
        fields["tool_choice"] = Raw(b'"any"')


def _check_penalties(fields: _Fields) -> None:
    for name in _PENALTIES:
        penalty = _decoded(_NUMBER, fields.get(name))
        if penalty is not None and not 0 <= penalty <= 1:
            raise BadRequest(
                f"Unsupported value: '{name}' must be from 0 to 1 at this model's "
                "provider.",
                param=name,
                code="unsupported_value",
            )


# -- inside of messages and tools --------------------------------------------------


def _unname(message: _Fields) -> bool:
    named = "name" in message and bytes(message.get("role", b"")) != b'"tool"'
    if named:
        del message["name"]
    return named


def _drop_names(fields: _Fields) -> None:
    _edit_each(fields, "messages", _unname)


def _drop_strict(fields: _Fields) -> None:
    _edit_functions(fields, lambda function: function.pop("strict", None) is not None)


def _make_schemas_plain(fields: _Fields) -> None:
    def make_plain(function: _Fields) -> bool:
        schema = function.get("parameters")
        if schema is None:
            return False
        plain = msgspec.json.encode(_plain(msgspec.json.decode(schema)))
        function["parameters"] = Raw(plain)
        return True

    _drop_strict(fields)
    _edit_functions(fields, make_plain)


def _plain(schema: Any) -> Any:
    """Give a JSON schema without what is refused, also in the schemas inside it.

    A property may have such a name: only keywords are left out.
    """
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {}
    for key, value in schema.items():
        if key in _SCHEMAS_BY_NAME and isinstance(value, dict):
            made[key] = {name: _plain(each) for name, each in value.items()}
        elif key in _SCHEMAS:
            made[key] = _plain(value)
        elif key not in _REFUSED_BY_SCHEMAS:
            made[key] = value
    return made


def _sign(fields: _Fields, *, last_resort: bool) -> None:
    """Put back the signatures that came with calls, from the ids that bore them.

    Of calls made at once the first one has it. ``last_resort``: where it is lost,
    Google's word for that stands in its place.
    """

    def sign_calls(message: _Fields) -> bool:
        calls = _decoded(_ITEMS, message.get("tool_calls"))
        if not calls:
            return False
        message["tool_calls"] = _encoded(
            _signed(call, last_resort=last_resort and place == 0)
            for place, call in enumerate(calls)
        )
        return True

    _edit_each(fields, "messages", sign_calls)


def _signed(raw: Raw, *, last_resort: bool) -> Raw:
    call = _decoded(_MEMBERS, raw)
    if call is None or given(call.get("extra_content")):
        return raw
    _, carried = without_carried(_decoded(_STRING, call.get("id")) or "")
    seal = carried.seal or (NO_SIGNATURE if last_resort else None)
    if seal is None:
        return raw
    extra = {"google": {"thought_signature": seal}}
    call["extra_content"] = Raw(msgspec.json.encode(extra))
    return Raw(msgspec.json.encode(call))


def _edit_functions(fields: _Fields, edit: Callable[[_Fields], bool]) -> None:
    def edit_tool(tool: _Fields) -> bool:
        function = _decoded(_MEMBERS, tool.get("function"))
        if function is None or not edit(function):
            return False
        tool["function"] = Raw(msgspec.json.encode(function))
        return True

    _edit_each(fields, "tools", edit_tool)


def _edit_each(fields: _Fields, name: str, edit: Callable[[_Fields], bool]) -> None:
    """Edit each object of a list; ``edit`` says whether it changed what it got."""
    items = _decoded(_ITEMS, fields.get(name))
    if items is not None:
        fields[name] = _encoded(_edited(item, edit) for item in items)


def _edited(item: Raw, edit: Callable[[_Fields], bool]) -> Raw:
    members = _decoded(_MEMBERS, item)
    if members is None or not edit(members):
        return item
    return Raw(msgspec.json.encode(members))


def _encoded(items: Iterable[Raw]) -> Raw:
    return Raw(msgspec.json.encode(list(items)))


def _decoded(decoder: msgspec.json.Decoder[_T], raw: Raw | None) -> _T | None:
    """Give a member, or None where it is absent or has another form."""
    try:
        return decoder.decode(raw) if raw is not None and given(raw) else None
    except msgspec.ValidationError:
        return None


_SUITS: Mapping[str, Callable[[_Fields], None]] = {
    "seed_is_random_seed": _renamed("seed", "random_seed"),
    "max_tokens_only": _renamed("max_completion_tokens", "max_tokens"),
    "reasoning_parameters": _renamed("max_tokens", "max_completion_tokens"),
    "required_is_any": _choose_any,
    "plain_schemas": _make_schemas_plain,
    "no_strict": _drop_strict,
    "usage_unasked": _without("stream_options"),
    "name_on_tool_only": _drop_names,
    "penalties_0_to_1": _check_penalties,
    "no_user": _without("user"),
    "no_logit_bias": _refused("logit_bias"),
    "no_stop_or_penalties": _refused("stop", *_PENALTIES, "reasoning_effort"),
}
