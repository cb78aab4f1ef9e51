"""The image is built where a Docker engine is, and each room starts from it as the compose file starts it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from services.standalone.ports import free_ports
from tests.component.test_deployment import ROOMS
from tests.stacks import Stack, until

ROOT = Path(__file__).parents[2]
TAG = "assay:under-test"
SECRET = "sk-never-in-an-image"

pytestmark = [pytest.mark.anyio, pytest.mark.any_broker]


def docker(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def lacking(python_image: str) -> str | None:
    try:
        if docker("info").returncode:
            return "no Docker engine answers"
    except FileNotFoundError:
        return "there is no docker command"
    if docker("image", "inspect", python_image).returncode and docker("pull", "--quiet", python_image).returncode:
        return f"the image {python_image} is not here and cannot be pulled: name another by --python-image"
    return None


@pytest.fixture(scope="module")
def image(request: pytest.FixtureRequest) -> Iterator[str]:
    python_image: str = request.config.getoption("--python-image")
    if reason := lacking(python_image):
        pytest.skip(reason)
    built = docker(
        *("build", "--network", "host", "-f", "deploy/Dockerfile", "-t", TAG),
        *("--build-arg", f"PYTHON_IMAGE={python_image}", "."),
    )
    assert built.returncode == 0, built.stdout + built.stderr
    yield TAG
    docker("rmi", "--force", TAG)


def test_the_image_has_no_compiler_no_tests_and_no_installer(image: str) -> None:
    looked = docker(
        "run",
        "--rm",
        "--network",
        "host",
        "--entrypoint",
        "sh",
        image,
        "-c",
        "ls /app; which gcc cc; ls /opt/assay/bin | grep -c ^pip; id -u",
    )

    assert looked.stdout.split() == ["services", "shared", "0", "10001"], looked.stderr


@pytest.mark.parametrize("room", ROOMS)
async def test_a_room_from_the_image_is_ready_with_a_read_only_file_system(image: str, room: str, stack: Stack) -> None:
    port = next(free_ports())
    told = {
        "KAFKA_BOOTSTRAP_SERVERS": stack.kafka,
        "KAFKA_TOPIC_PREFIX": f"{stack.prefix}image.",
        "KAFKA_ASSIGNOR": "roundrobin",
        "KAFKA_IDEMPOTENCE": "false",
        "KAFKA_FETCH_MAX_WAIT_MS": "20",
        "MONGO_URL": stack.mongo,
        "MONGO_DATABASE": "of-the-image",
        "OPENAI_API_KEY": SECRET,
        "OPENAI_BASE_URL": stack.judge,
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(port),
        "GATEWAY_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
    }
    variables = [word for name, value in told.items() for word in ("--env", f"{name}={value}")]
    started = docker(
        *("run", "--detach", "--network", "host", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),
        *(*variables, image, f"services.{room}"),
    )
    assert started.returncode == 0, started.stderr
    container = started.stdout.strip()
    try:
        async with httpx2.AsyncClient(trust_env=False) as client:

            async def ready() -> bool | None:
                try:
                    return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200 or None
                except httpx2.TransportError:
                    return None

            await until(ready, f"the {room} to be ready: {docker('logs', container).stderr}", 90)
        assert docker("stop", "--time", "60", container).returncode == 0
        ended = docker("inspect", "--format", "{{.State.ExitCode}}", container).stdout.strip()
        logs = docker("logs", container)
        assert ended == "0", logs.stderr
        assert SECRET not in logs.stdout + logs.stderr
    finally:
        docker("rm", "--force", container)
