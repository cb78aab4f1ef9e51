"""Describes in OpenAPI what FastAPI cannot know: bodies that are read by hand, and errors as problem documents."""

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaValue, models_json_schema

from services.gateway.documents import ReportBody, RetryBody
from services.gateway.exports import ResultDocument
from services.gateway.problems import MEDIA_TYPE, Problem

DESCRIBED: tuple[type[BaseModel], ...] = (ReportBody, RetryBody, ResultDocument, Problem)
PLACE = "#/components/schemas/{model}"


class DescribedApp(FastAPI):
    """FastAPI with the schemas of `DESCRIBED` among its components."""

    def openapi(self) -> JsonSchemaValue:
        """The OpenAPI document."""
        document = super().openapi()
        _, found = models_json_schema([(model, "validation") for model in DESCRIBED], ref_template=PLACE)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for name, schema in found["$defs"].items():
            schemas.setdefault(name, schema)
        return document


def reads(body: type[BaseModel], *, is_required: bool = False) -> JsonSchemaValue:
    """What a route adds to its description to say that it reads such a body."""
    return {"requestBody": {"required": is_required, "content": {"application/json": {"schema": _reference(body)}}}}


def gives(media_type: str, shape: type[BaseModel] | str | None = None) -> dict[int | str, JsonSchemaValue]:
    """What a route adds to say what it gives: a document, a text like this example, or a file of this type."""
    match shape:
        case None:
            told: JsonSchemaValue = {}
        case str():
            told = {"schema": {"type": "string"}, "example": shape}
        case _:
            told = {"schema": _reference(shape)}
    return {200: {"content": {media_type: told}}}


def fails() -> dict[int | str, JsonSchemaValue]:
    """What a router adds to say how errors are told."""
    return {
        status: {"description": text, "content": {MEDIA_TYPE: {"schema": _reference(Problem)}}}
        for status, text in (("4XX", "The request is not served"), ("5XX", "The gateway cannot serve it now"))
    }


def _reference(model: type[BaseModel]) -> JsonSchemaValue:
    return {"$ref": PLACE.format(model=model.__name__)}
