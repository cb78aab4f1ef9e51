"""Apache Kafka on this machine: a broker on loopback that can be killed, stopped, and started again on its data."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.standalone.ports import free_ports
from shared import lifeline
from tests.stacks import until

FETCHED = Path(__file__).parents[1] / ".kafka"
LOOPBACK = "127.0.0.1"
START_SECONDS = 180
CLUSTER = "4L6g3nShT-eMCtK--X86sw"
# A broker that was killed may register again when its session has ended: a short one, so that it is soon back.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{broker},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{broker}
log.dirs={data}
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
"""


def missing() -> str | None:
    """Why there is no Apache Kafka here, in words; None if there is one."""
    if shutil.which("java") is None:
        return "Apache Kafka needs Java 17 or later"
    return None if (FETCHED / "pom.xml").exists() else "Apache Kafka is not here: make test-kafka fetches it"


class ApacheKafka:
    """One broker and its data. It ends with the process that started it, however that ends."""

    def __init__(self, folder: Path, ports: Iterator[int]) -> None:
        broker, controller = next(ports), next(ports)
        self.address = f"{LOOPBACK}:{broker}"
        self._folder = folder
        self._file = folder / "server.properties"
        self._process: asyncio.subprocess.Process | None = None
        self._file.write_text(
            PROPERTIES.format(host=LOOPBACK, broker=broker, controller=controller, data=folder / "data")
        )

    async def start(self) -> None:
        """Start it on the data that is there, or on none, and wait until it serves."""
        if not (self._folder / "data").exists():
            formatted = await self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(self._file))
            assert await formatted.wait() == 0, self._log()
        self._process = await self._java("kafka.Kafka", str(self._file))
        await until(self._serves, "Apache Kafka to serve", START_SECONDS)

    async def kill(self) -> None:
        """End it without a chance to tidy up."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def freeze(self) -> None:
        """Let it hang, connections open."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._running().send_signal(signal.SIGCONT)

    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        assert self._process.returncode is None, self._log()
        return self._process

    async def _java(self, *words: str) -> asyncio.subprocess.Process:
        heap = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # small and soon warm
        with (self._folder / "kafka.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *lifeline.command("java", *heap, "-cp", str(FETCHED / "lib" / "*"), *words),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
            )

    async def _serves(self) -> bool | None:
        self._running()
        if not await self._listens():  # the client below would say so in the log, each time
            return None
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address, request_timeout_ms=2_000)
        try:
            await admin.start()
            return bool((await admin.describe_cluster())["brokers"]) or None
        except (KafkaError, OSError):
            return None
        finally:
            await admin.close()

    async def _listens(self) -> bool:
        host, _, port = self.address.partition(":")
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            return False
        writer.close()
        return True

    def _log(self) -> str:
        return (self._folder / "kafka.log").read_text(errors="replace")[-3_000:]


@asynccontextmanager
async def apache_kafka(folder: Path) -> AsyncIterator[ApacheKafka]:
    """A broker that serves, with its data in this folder; it is killed at the end, as the data is of no use then."""
    broker = ApacheKafka(folder, free_ports())
    await broker.start()
    try:
        yield broker
    finally:
        await broker.kill()
