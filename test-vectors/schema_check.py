"""A JSON Schema validator for the keywords that schema/hookproof-vectors-1.json uses.

A keyword that it does not know is an error, so that no rule of the schema is skipped in silence.
"""

import re

ANNOTATIONS = {"$schema", "$id", "$defs", "title", "description"}
TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "null": lambda value: value is None,
}


class SchemaError(Exception):
    """The schema itself cannot be used."""


def violations(schema, value):
    """All violations as (path, message); the path is a tuple of names and positions."""
    refuse_unknown_keywords(schema)
    return list(check(schema, schema, value, ()))


def refuse_unknown_keywords(schema):
    for keyword, argument in schema.items():
        if keyword not in KEYWORDS and keyword not in ANNOTATIONS:
            raise SchemaError(f"unknown keyword {keyword!r}")
        for child in subschemas(keyword, argument):
            refuse_unknown_keywords(child)


def subschemas(keyword, argument):
    if keyword in ("properties", "$defs"):
        return argument.values()
    if keyword in ("oneOf", "prefixItems"):
        return argument
    return [argument] if keyword == "items" else []


def check(root, schema, value, path):
    for keyword, argument in schema.items():
        if keyword in KEYWORDS:
            yield from KEYWORDS[keyword](root, schema, argument, value, path)


def check_ref(root, _schema, argument, value, path):
    target = root
    for name in argument.removeprefix("#/").split("/"):
        target = target[name]
    yield from check(root, target, value, path)


def check_type(_root, _schema, argument, value, path):
    names = [argument] if isinstance(argument, str) else argument
    if not any(TYPES[name](value) for name in names):
        yield path, f"must be {' or '.join(names)}"


def check_const(_root, _schema, argument, value, path):
    if value != argument:
        yield path, f"must be {argument!r}"


def check_enum(_root, _schema, argument, value, path):
    if value not in argument:
        yield path, f"{value!r} is none of {', '.join(map(repr, argument))}"


def check_pattern(_root, _schema, argument, value, path):
    # Python's $ also matches before a final newline, JSON Schema's does not: hence fullmatch.
    if not (argument.startswith("^") and argument.endswith("$")):
        raise SchemaError(f"pattern {argument!r} is not anchored at both ends")
    if isinstance(value, str) and not re.fullmatch(argument[1:-1], value):
        yield path, f"{value!r} does not match {argument}"


def check_minimum(_root, _schema, argument, value, path):
    if TYPES["integer"](value) and value < argument:
        yield path, f"must be at least {argument}"


def check_min_length(_root, _schema, argument, value, path):
    if isinstance(value, str) and len(value) < argument:
        yield path, f"must have at least {argument} characters"


def check_required(_root, _schema, argument, value, path):
    for name in argument:
        if isinstance(value, dict) and name not in value:
            yield path, f"{name!r} is missing"


def check_properties(root, _schema, argument, value, path):
    for name, child in argument.items():
        if isinstance(value, dict) and name in value:
            yield from check(root, child, value[name], (*path, name))


def check_additional_properties(_root, schema, argument, value, path):
    if argument is not False:
        raise SchemaError("additionalProperties may only be false")
    for name in value if isinstance(value, dict) else ():
        if name not in schema.get("properties", {}):
            yield path, f"{name!r} is not a known field"


def check_items(root, _schema, argument, value, path):
    for place, item in enumerate(value if isinstance(value, list) else ()):
        yield from check(root, argument, item, (*path, place))


def check_prefix_items(root, _schema, argument, value, path):
    for place, (child, item) in enumerate(zip(argument, value if isinstance(value, list) else ())):
        yield from check(root, child, item, (*path, place))


def check_min_items(_root, _schema, argument, value, path):
    if isinstance(value, list) and len(value) < argument:
        yield path, f"must have at least {argument} items"


def check_max_items(_root, _schema, argument, value, path):
    if isinstance(value, list) and len(value) > argument:
        yield path, f"must have at most {argument} items"


def check_unique_items(_root, _schema, argument, value, path):
    if argument and isinstance(value, list) and any(item in value[:place] for place, item in enumerate(value)):
        yield path, "has an item twice"


def check_one_of(root, _schema, argument, value, path):
    matching = sum(not list(check(root, child, value, path)) for child in argument)
    if matching != 1:
        yield path, f"must match exactly one of {argument}, matches {matching}"


KEYWORDS = {
    "$ref": check_ref,
    "type": check_type,
    "const": check_const,
    "enum": check_enum,
    "pattern": check_pattern,
    "minimum": check_minimum,
    "minLength": check_min_length,
    "required": check_required,
    "properties": check_properties,
    "additionalProperties": check_additional_properties,
    "items": check_items,
    "prefixItems": check_prefix_items,
    "minItems": check_min_items,
    "maxItems": check_max_items,
    "uniqueItems": check_unique_items,
    "oneOf": check_one_of,
}
