"""How a room speaks: one line per record on stderr, JSON for machines and text for people, and whom it is about.

Never text of prompts, evidence, answers, and never keys: those who log name ids, numbers and closed reasons.
"""

import json
import logging
import sys
from datetime import UTC, datetime

from shared.chassis import traces
from shared.settings import LogSettings

REPEAT_SECONDS = 30.0  # between two equal lines of the broker's client, which would say a dozen a second
FIELDS = "fields"
_TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_NOISY = ("aiokafka", "assay.faststream", "httpx2", "httpcore2", "uvicorn", "pymongo", "opentelemetry")


def set_up(settings: LogSettings) -> None:
    """One line per record on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if settings.format == "json" else TextLines(_TEXT))
    handler.addFilter(_Calm())
    logging.basicConfig(level=settings.level, handlers=[handler], force=True)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def say(logger: logging.Logger, message: str, **fields: str | float | None) -> None:
    """A line with fields of its own."""
    logger.info(message, extra={FIELDS: {name: value for name, value in fields.items() if value is not None}})


class JsonLines(logging.Formatter):
    """For machines."""

    def format(self, record: logging.LogRecord) -> str:
        """One object."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_known(),
            **getattr(record, FIELDS, {}),
            **({"error": self.formatException(record.exc_info)} if record.exc_info else {}),
        }
        return json.dumps(line, ensure_ascii=False)


class TextLines(logging.Formatter):
    """For people."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback if there is one."""
        told = {**_known(), **getattr(record, FIELDS, {})}
        words = " ".join(f"{name}={value}" for name, value in told.items())
        return f"{super().format(record)} {words}".rstrip()


def _known() -> dict[str, str]:
    about = traces.current()
    if about is None:
        return {}
    part = {"part_id": about.part_id} if about.part_id else {}
    return {"report_id": about.report_id, **part, "trace_id": about.trace.trace_id}


class _Calm(logging.Filter):
    """Lets a line of the broker's client through once in a while, however often it is said."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("aiokafka"):
            return True
        last = self._said.get(record.msg)
        if last is not None and record.created - last < REPEAT_SECONDS:
            return False
        self._said[record.msg] = record.created
        return True
