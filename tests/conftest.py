"""What every test runs on."""

import pytest

from tests import apache_kafka, official_images

BROKERS = ("embedded", "apache", "containers")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kafka", choices=BROKERS, default="embedded", help="the broker that the integration tests run on"
    )
    parser.addoption("--python-image", default="python:3.12-slim", help="what the image is built from in its test")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "only_on(broker): what is asserted is true of this broker only")
    config.addinivalue_line("markers", "any_broker: nothing that is asserted depends on the broker: one is enough")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    broker: str = config.getoption("--kafka")
    missing = {"apache": apache_kafka.missing, "containers": official_images.missing}
    lacking = missing[broker]() if broker in missing else None
    for item in items:
        marked = item.get_closest_marker("only_on")
        if lacking and "integration" in item.path.parts:
            item.add_marker(pytest.mark.skip(reason=lacking))
        elif marked and marked.args != (broker,):
            item.add_marker(pytest.mark.skip(reason=f"true of the {marked.args[0]} broker only"))
        elif broker == "apache" and item.get_closest_marker("any_broker"):
            item.add_marker(pytest.mark.skip(reason="depends on no broker: runs on the embedded one"))


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio alone, as the services do."""
    return "asyncio"
