"""All that is read from the environment, and nowhere else: typed, checked at start, one line per problem."""

import os
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, FilePath, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """The environment is wrong or contradicts itself; the message has one line per problem."""


def _config(prefix: str) -> SettingsConfigDict:
    return SettingsConfigDict(env_prefix=prefix, env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)


class SettingsGroup(BaseSettings):
    """One prefix of variables. A secret may also be given as a file, by its name and `_FILE`, as containers have it."""

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, given: dict[str, Any]) -> dict[str, Any]:
        told = dict(given)
        for name, field in cls.model_fields.items():
            path = told.get(f"{name}_file") if field.annotation is SecretStr else None
            if not path:
                continue
            variable = f"{cls.model_config['env_prefix']}{name}".upper()
            if told.get(name):
                raise ValueError(f"{variable}: also given as {variable}_FILE; set one of them")
            try:
                told[name] = Path(path).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"{variable}_FILE: {path} cannot be read: {error}") from error
        return told


class KafkaSettings(SettingsGroup):
    """The broker. Counts of partitions apply to topics that are created; existing ones are never changed."""

    model_config = _config("KAFKA_")

    bootstrap_servers: str = "localhost:9092"
    topic_prefix: str = Field("", pattern=r"^[A-Za-z0-9._-]{0,64}$")
    replication_factor: int = Field(1, ge=1)
    requests_partitions: int = Field(6, ge=1)
    tasks_partitions: int = Field(24, ge=1)
    events_partitions: int = Field(12, ge=1)
    status_partitions: int = Field(6, ge=1)
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password: SecretStr = SecretStr("")
    sasl_password_file: Path | None = None
    ssl_cafile: FilePath | None = None
    ssl_certfile: FilePath | None = Field(
        None, description="this client's own certificate, where the broker asks for one"
    )
    ssl_keyfile: FilePath | None = None
    compression: Literal["none", "gzip", "lz4"] = "lz4"
    assignor: Literal["sticky", "roundrobin"] = "sticky"
    idempotence: bool = True
    fetch_max_wait_ms: int = Field(500, ge=1, description="20 where the broker does not wake a waiting fetch")
    session_timeout_ms: int = Field(15_000, ge=1_000)
    heartbeat_interval_ms: int = Field(3_000, ge=100)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        secured, signed = self.security_protocol.endswith("SSL"), self.security_protocol.startswith("SASL")
        if signed and not (self.sasl_username and self.sasl_password.get_secret_value()):
            raise ValueError(f"KAFKA_SASL_USERNAME: {self.security_protocol} needs it and KAFKA_SASL_PASSWORD")
        if not secured and (self.ssl_cafile or self.ssl_certfile):
            raise ValueError(f"KAFKA_SSL_CAFILE: {self.security_protocol} does not encrypt; say SSL or SASL_SSL")
        if (self.ssl_certfile is None) is not (self.ssl_keyfile is None):
            raise ValueError("KAFKA_SSL_CERTFILE: a certificate and its KAFKA_SSL_KEYFILE belong together")
        if 3 * self.heartbeat_interval_ms > self.session_timeout_ms:
            raise ValueError("KAFKA_HEARTBEAT_INTERVAL_MS: a session must hold three heartbeats")
        return self


class MongoSettings(SettingsGroup):
    """The database: a replica set, as transactions are used."""

    model_config = _config("MONGO_")

    url: SecretStr = Field(
        SecretStr("mongodb://localhost:27017/?replicaSet=rs0"), description="user, password and TLS are part of it"
    )
    url_file: Path | None = None
    database: str = Field("assay", min_length=1)
    source_database: str = Field("assay_source", min_length=1)

    @field_validator("url")
    @classmethod
    def _is_one(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("must begin with mongodb:// or mongodb+srv://")
        return value


class LlmSettings(SettingsGroup):
    """The judge: how many calls at once per evaluator, and how long one attempt may take."""

    model_config = _config("LLM_")

    max_concurrency: str = Field("10", pattern=r"^\d+(,[^=,]+=\d+)*$", description="`10`, or by model `10,gpt-4o=3`")
    adaptive: bool = Field(True, description="fewer calls at once than that while the judge refuses more")
    requests_per_minute: int | None = Field(None, ge=1, description="per model and evaluator; none: as the judge takes")
    tokens_per_minute: int | None = Field(None, ge=1, description="the same, of prompts and answers together")
    attempt_timeout_seconds: float = Field(120, gt=0)
    max_attempts: int = Field(5, ge=1, description="per part; calls refused by a 429 do not count")
    lease_seconds: float = Field(
        20, ge=2, description="how long a call may be silent before another evaluator makes it"
    )
    backoff_seconds: float = Field(1.0, gt=0, description="before the second attempt; doubles, with full jitter")

    @property
    def default_concurrency(self) -> int:
        """The most calls at once to all models without a limit of their own."""
        return int(self.max_concurrency.split(",")[0])

    @property
    def model_concurrency(self) -> dict[str, int]:
        """The most calls at once to the models that have a limit of their own."""
        named = (item.rsplit("=", 1) for item in self.max_concurrency.split(",")[1:])
        return {model.strip(): int(limit) for model, limit in named}

    @field_validator("max_concurrency")
    @classmethod
    def _at_least_one(cls, value: str) -> str:
        if any(int(item.rsplit("=", 1)[-1]) < 1 for item in value.split(",")):
            raise ValueError("every limit must be at least 1")
        return value


class OpenAISettings(SettingsGroup):
    """The judge's address and key, by the names its SDK uses."""

    model_config = _config("OPENAI_")

    api_key: SecretStr = SecretStr("")
    api_key_file: Path | None = None
    base_url: str = ""


class ReportSettings(SettingsGroup):
    """How reports are planned, ended and kept."""

    model_config = _config("REPORT_")

    bulk_parts: int = Field(50, ge=1, description="reports of more parts travel in the bulk lane")
    evidence_bytes: int = Field(300_000, ge=1_000, le=800_000, description="evidence in one task, as UTF-8 JSON")
    context_tokens: int | None = Field(None, ge=2_000, description="the judge's context window; unset: by the model")
    row_bytes: int = Field(16_000, ge=200, description="one run or review in a task; the rest is cut and counted")
    source_reads: int = Field(20, ge=1, description="reads of the source database at once")
    retention_days: float = Field(30, gt=0)
    render_processes: int = Field(1, ge=1)
    lease_seconds: float = Field(60, gt=1, description="how long a rendering may be silent before another takes over")
    clock_seconds: float = Field(1.0, gt=0, description="how often deadlines and abandoned renderings are looked for")


class JaegerSettings(SettingsGroup):
    """Where the traces of agents' runs are read from. Best effort: neither time limit ever fails a report."""

    model_config = _config("JAEGER_")

    query_url: str = Field("", pattern=r"^$|^https?://", description="empty: no telemetry")
    services: str = Field("", description="of the agents, comma-separated; empty: all that Jaeger knows")
    timeout_seconds: float = Field(2.0, gt=0, description="one call")
    report_seconds: float = Field(20.0, gt=0, description="all calls for a report")
    reads: int = Field(20, ge=1, description="calls at once")

    @property
    def service_names(self) -> tuple[str, ...]:
        """The services whose traces are searched; none: Jaeger is asked which there are."""
        return tuple(name.strip() for name in self.services.split(",") if name.strip())


class GatewaySettings(SettingsGroup):
    """The HTTP door. Without keys it serves loopback only."""

    model_config = _config("GATEWAY_")

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    public_url: str = Field("", pattern=r"^$|^https?://", description="what links begin with; empty: as asked")
    api_keys: SecretStr = Field(SecretStr(""), description="`name:sha256hex[:admin]`, comma-separated")
    api_keys_file: Path | None = None
    max_body_bytes: int = Field(64 * 1024 * 1024, ge=1024)


class HttpSettings(SettingsGroup):
    """Where a room other than the gateway answers `/healthz`, `/readyz` and `/metrics`; port 0 takes a free one."""

    model_config = _config("HTTP_")

    host: str = "127.0.0.1"
    port: int = Field(0, ge=0, le=65535)


class StandinSettings(SettingsGroup):
    """The stand-in judge of `assay standalone`, `run` and `demo`."""

    model_config = _config("STANDIN_")

    latency_seconds: float = Field(0.0, ge=0)
    refuse: str = Field("", description="keys of parts it refuses, comma-separated")

    @property
    def refused_keys(self) -> frozenset[str]:
        """The agents or languages whose evaluation it declines."""
        return frozenset(key.strip() for key in self.refuse.split(",") if key.strip())


class ClientSettings(SettingsGroup):
    """The gateway that the console's commands talk to, and the key they show it."""

    model_config = _config("ASSAY_")

    url: str = Field("http://127.0.0.1:8080", pattern=r"^https?://")
    api_key: SecretStr = SecretStr("")
    api_key_file: Path | None = None


class LogSettings(SettingsGroup):
    """How a room speaks of itself."""

    model_config = _config("LOG_")

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["text", "json"] = "text"


class OtelSettings(SettingsGroup):
    """Where traces are sent, as OTLP over HTTP; nowhere if empty. The SDK reads its own OTEL_ variables beside."""

    model_config = _config("OTEL_")

    exporter_otlp_endpoint: str = Field("", pattern=r"^$|^https?://")


class Settings(NamedTuple):
    """All settings of a process, read once at its start."""

    kafka: KafkaSettings
    mongo: MongoSettings
    llm: LlmSettings
    openai: OpenAISettings
    report: ReportSettings
    jaeger: JaegerSettings
    gateway: GatewaySettings
    http: HttpSettings
    standin: StandinSettings
    client: ClientSettings
    log: LogSettings
    otel: OtelSettings


def load() -> Settings:
    """Read the environment and `.env`. Raises SettingsError with one line per problem."""
    groups: dict[str, BaseSettings] = {}
    problems: list[str] = []
    for name, group in Settings.__annotations__.items():
        try:
            groups[name] = group()
        except ValidationError as error:
            problems += [_in_words(group.model_config["env_prefix"], item) for item in error.errors()]
    if problems:
        raise SettingsError("\n".join(problems))
    return Settings(**groups)  # type: ignore[arg-type]  # each group was made from its own annotation


def _in_words(prefix: str, problem: ErrorDetails) -> str:
    """A problem of one variable is named by it; one of several names them itself."""
    said = problem["msg"].removeprefix("Value error, ")
    return f"{prefix}{'_'.join(map(str, problem['loc'])).upper()}: {said}" if problem["loc"] else said


def inherited_environment() -> dict[str, str]:
    """The environment as it is, for a child process to inherit; nothing is decided by it here."""
    return dict(os.environ)  # noqa: TID251  # this is the file that may
