"""The small model that the extra `local` installs, really asked: `make test-local-model`.

It shows that the wiring holds against a real server of models, and how fast that is; not that the model is any good.
"""

import asyncio
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from activities.mcp_tools import ToolServers
from activities.runtimes.cast import Cast
from activities.runtimes.model import Provider
from contracts.mind import CodeAgent
from starter.local_model import MODEL, ROOT
from starter.ports import HOST, free_port
from starter.process import Process
from tests.activities.test_words import AGENT, said
from tests.activities.thinkers import run, thinker

pytestmark = pytest.mark.local_model


@pytest.fixture(scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    port, logs = free_port(), Path(tmp_path_factory.mktemp("logs"))
    line = [sys.executable, "-m", "starter.local_model", "--port", str(port)]
    model = Process("the local model", line, logs / "model.log", cwd=ROOT)
    model.start()
    while not model.said("local model:"):
        assert model.alive(), (logs / "model.log").read_text()
        await asyncio.sleep(0.05)
    yield f"http://{HOST}:{port}/v1"
    await model.stop()


async def test_it_answers_by_the_schema(url: str, servers: ToolServers) -> None:
    began = time.monotonic()

    result = await run(thinker(temperature=0), Cast(Provider(model=MODEL, url=url)), servers)

    assert result.output["verdict"] in {"dismiss", "escalate"}
    assert result.usage.output_tokens > 0
    print(f"\n{result.usage.tokens} tokens in {time.monotonic() - began:.1f} s")


async def test_it_words_what_the_code_found_out(url: str, servers: ToolServers) -> None:
    summary = {"type": "string", "minLength": 10, "maxLength": 200}
    output = {**AGENT.output, "properties": {**AGENT.output["properties"], "summary": summary}}
    agent = CodeAgent.model_validate({**AGENT.model_dump(), "output": output, "temperature": 0})

    result = await run(agent, Cast(Provider(model=MODEL, url=url)), servers)

    assert "The code says so." != result.output["summary"], said(result)
    assert ("dismiss", "web-01") == (result.output["verdict"], result.output["host"])


async def test_it_listens_on_this_machine_alone(url: str) -> None:
    with urllib.request.urlopen(f"{url}/models") as answer:
        assert MODEL in answer.read().decode()
    assert url.startswith(f"http://{HOST}:")
