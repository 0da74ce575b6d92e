"""What `/openapi.json` tells of the features, in any of the shapes that pydantic writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from checks.support.http import expect, json_of

if TYPE_CHECKING:
    import httpx

_LOOKED_AT = ("number", "integer", "object", None)


async def body_schema(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    """Return what `/openapi.json` says of each field in the body of a prediction's request."""
    response = await client.get("/openapi.json")
    expect(response, 200)
    document = json_of(response)
    paths = document.get("paths", {})
    operations = [
        paths[path]["post"]
        # The one for all models comes before others that the application may have.
        for path in sorted(paths, key=lambda each: not each.startswith("/predict/{"))
        if path.startswith("/predict/") and "post" in paths[path]
    ]
    assert operations, "/openapi.json shows no POST /predict/{model_name}; right is that it does."
    content = _resolved(operations[0].get("requestBody", {}), document).get("content", {})
    schema = _resolved(content.get("application/json", {}).get("schema", {}), document)
    fields = schema.get("properties", {})
    return {name: _resolved(each, document) for name, each in fields.items()}


def _resolved(schema: dict[str, Any], document: dict[str, Any], depth: int = 10) -> dict[str, Any]:
    """Return a schema with all that it refers to or is composed of in one flat object."""
    if not depth:  # it refers to itself
        return schema
    flat: dict[str, Any] = {}
    parts = list(schema.get("allOf", ()))
    if "$ref" in schema:
        parts.append(_target(schema["$ref"], document))
    for part in parts:
        flat |= _resolved(part, document, depth - 1)
    for choice in ("anyOf", "oneOf"):
        options = [_resolved(each, document, depth - 1) for each in schema.get(choice, ())]
        fitting = [each for each in options if each.get("type") in _LOOKED_AT]
        if fitting:
            # What holds for a number or for a body, whichever of them it is.
            flat |= {
                key: value
                for key, value in fitting[0].items()
                if all(key in each and each[key] == value for each in fitting)
            }
    return flat | schema


def _target(reference: str, document: dict[str, Any]) -> dict[str, Any]:
    found = document
    for name in reference.removeprefix("#/").split("/"):
        found = found.get(name, {})
    return found
