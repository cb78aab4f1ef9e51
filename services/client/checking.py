"""Tells whether the settings lead anywhere: shows them with secrets masked, and asks broker, database and judge."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from urllib.parse import urlsplit

import httpx2
from pydantic import SecretStr

from shared.settings import KafkaSettings, MongoSettings, OpenAISettings, Settings
from shared.store import StoreUnavailableError, connect
from shared.topics import named

LOOK_SECONDS = 15.0  # above the ten that the database is looked for, so that it says itself what is wrong
MASKED = "********"
DEFAULT_JUDGE = "https://api.openai.com/v1"
REFUSALS = frozenset({401, 403})

Say = Callable[[str], None]


class WrongError(Exception):
    """Something that keeps Assay from working; the message says what to do."""


def effective(settings: Settings) -> Iterator[str]:
    """Every variable and what holds for it, one line each; secrets are masked, addresses lose user and password."""
    for group in settings:
        for name in type(group).model_fields:
            variable = f"{group.model_config['env_prefix']}{name}".upper()
            yield f"{variable}={_shown(getattr(group, name))}"


def _shown(value: object) -> str:
    if not isinstance(value, SecretStr):
        return "" if value is None else str(value)
    secret = value.get_secret_value()
    where = urlsplit(secret)
    if where.scheme.startswith("mongodb"):
        return f"{where.scheme}://{where.netloc.rpartition('@')[2]}{where.path}"
    return MASKED if secret else ""


async def check(settings: Settings, say: Say) -> bool:
    """Ask everything that the settings name, and say what was found; whether all is well."""
    asked: Mapping[str, Awaitable[str]] = {
        "broker": _broker(settings.kafka),
        "database": _database(settings.mongo),
        "judge": _judge(settings.openai),
    }
    well = True
    for name, answer in asked.items():
        try:
            say(f"{name}: {await asyncio.wait_for(answer, LOOK_SECONDS)}")
        except (WrongError, TimeoutError) as error:
            well = False
            say(f"{name}: WRONG: {str(error) or f'no answer within {LOOK_SECONDS:.0f} s'}")
    return well


async def _broker(settings: KafkaSettings) -> str:
    """Which of the topics are there. Late import: the other commands need no broker's client."""
    from shared.chassis.inspection import BrokerUnavailableError, partitions  # noqa: PLC0415

    wanted = named(settings.topic_prefix)
    counts = {
        wanted.requests: settings.requests_partitions,
        wanted.tasks: settings.tasks_partitions,
        wanted.bulk: settings.tasks_partitions,
        wanted.events: settings.events_partitions,
        wanted.status: settings.status_partitions,
    }
    try:
        there = await partitions(settings)
    except BrokerUnavailableError as error:
        raise WrongError(f"{settings.bootstrap_servers} cannot be reached: {error}; see KAFKA_…") from error
    missing = [topic for topic in counts if topic not in there]
    odd = [
        f"{topic} has {there[topic]} partitions, the settings say {count}: an existing topic is never changed"
        for topic, count in counts.items()
        if there.get(topic, count) != count
    ]
    new = [f"{len(missing)} of {len(counts)} topics are made at the first start"] if missing else []
    return "; ".join([f"{settings.bootstrap_servers} answers", *new, *odd])


async def _database(settings: MongoSettings) -> str:
    async with connect(settings) as store:
        try:
            replica_set = await store.replica_set()
        except StoreUnavailableError as error:
            raise WrongError(f"cannot be used: {_first_line(error)}; see MONGO_URL") from error
    if replica_set is None:
        raise WrongError("is no replica set, and transactions need one: start it with --replSet, one member is enough")
    return f"replica set {replica_set} takes writes"


async def _judge(settings: OpenAISettings) -> str:
    key, address = settings.api_key.get_secret_value(), settings.base_url or DEFAULT_JUDGE
    if not key and not settings.base_url:
        raise WrongError("none is named: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server without keys")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        async with httpx2.AsyncClient(timeout=LOOK_SECONDS) as client:
            answer = await client.get(f"{address.rstrip('/')}/models", headers=headers)
    except httpx2.HTTPError as error:
        raise WrongError(f"{address} cannot be reached: {_first_line(error) or type(error).__name__}") from error
    if answer.status_code in REFUSALS:
        raise WrongError(f"{address} refuses the key ({answer.status_code}): see OPENAI_API_KEY")
    return f"{address} answers"


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0][:300]
