"""What of a chat completion's request matters to the stand-in judge."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

_BEGINNING = "===== task "


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class TextPart(_Wire):
    """A piece of a message that is sent in pieces."""

    text: str = ""


class Message(_Wire):
    """One turn of the conversation."""

    content: str | tuple[TextPart, ...] | None = None

    @property
    def said(self) -> str:
        """The text of the message."""
        if isinstance(self.content, tuple):
            return "".join(part.text for part in self.content)
        return self.content or ""


class Schema(_Wire):
    """The JSON schema of the answer: its fields tell the forms apart."""

    properties: Mapping[str, object] = {}


class NamedSchema(_Wire):
    """A schema as structured outputs wrap it."""

    schema_: Schema = Field(Schema(), alias="schema")


class ResponseFormat(_Wire):
    """The form that the answer is asked for in."""

    json_schema: NamedSchema | None = None


class ChatRequest(_Wire):
    """A call."""

    model: str
    messages: tuple[Message, ...]
    response_format: ResponseFormat | None = None
    stream: bool = False

    @property
    def fields(self) -> frozenset[str] | None:
        """The fields of the answer asked for; None where plain text will do."""
        wanted = self.response_format.json_schema if self.response_format else None
        return frozenset(wanted.schema_.properties) if wanted else None

    @property
    def question(self) -> str:
        """The message that asks to judge; later ones are about the answer."""
        return next((message.said for message in self.messages if message.said.startswith(_BEGINNING)), "")

    @property
    def characters(self) -> int:
        """The length of all that was said."""
        return sum(len(message.said) for message in self.messages)
