"""`assay check`: do the settings lead anywhere."""

import asyncio
import sys

import pytest

from tests.single_programs import judge
from tests.stacks import Stack, clean_environment

pytestmark = [pytest.mark.anyio, pytest.mark.any_broker]

SECRET = "sk-not-to-be-shown"


async def checked(**environment: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.console", "check"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**clean_environment(), "OPENAI_API_KEY": SECRET, **environment},
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_settings_that_lead_somewhere_are_well_and_secrets_stay_secret(stack: Stack) -> None:
    async with judge() as url:
        code, said = await checked(KAFKA_BOOTSTRAP_SERVERS=stack.kafka, MONGO_URL=stack.mongo, OPENAI_BASE_URL=url)

    assert code == 0, said
    assert f"broker: {stack.kafka} answers" in said
    assert "takes writes\n" in said
    assert f"judge: {url} answers\n" in said
    assert "OPENAI_API_KEY=********\n" in said
    assert SECRET not in said


async def test_what_cannot_be_reached_is_said_one_line_each(stack: Stack) -> None:
    nowhere = "127.0.0.1:9"
    code, said = await checked(
        KAFKA_BOOTSTRAP_SERVERS=nowhere, MONGO_URL=stack.mongo, OPENAI_BASE_URL=f"http://{nowhere}/v1"
    )

    assert code == 1
    wrong = [line for line in said.splitlines() if ": WRONG: " in line]
    assert [line.split(":")[0] for line in wrong] == ["broker", "judge"]
    assert all(nowhere in line for line in wrong)


async def test_wrong_settings_are_said_one_line_each_and_nothing_is_asked() -> None:
    code, said = await checked(KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:9", MONGO_URL="elsewhere", LLM_MAX_CONCURRENCY="0")

    assert code == 2
    assert [line.split(":")[0] for line in said.splitlines()] == ["MONGO_URL", "LLM_MAX_CONCURRENCY"]
