"""What an agent has beside its tools: files that it leaves, and documents that it may search."""

import hashlib
import sys
from typing import Any

import pytest

from activities.agents import AgentRunner
from activities.bench import Stores
from activities.content import ContentStore
from activities.knowledge import Library
from activities.mcp_tools import ToolServers
from activities.meaning import Meaning
from contracts.call import AgentCall, AgentResult
from contracts.mind import CodeAgent
from tests.activities.activity_stage import failing, stage, told
from tests.activities.service import tools
from tests.policies import OPEN

PAGES = {
    "isolate.md": "# Isolating a host\n\nPull the cable, then call the owner.\n\n## After that\n\nWrite a ticket.",
    "deep/phish.txt": "Phishing mails ask for passwords.",
    "page.html": "<html><title>VPN</title><script>secret()</script><p>Reset the VPN token.</p>",
    "image.png": "cable",
    "paper.pdf": "%PDF-1.4",
}


@pytest.fixture
def stores(tmp_path):
    for name, text in PAGES.items():
        file = tmp_path / "handbook" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "private.md").write_text("cable cable cable")
    (tmp_path / "handbook" / "link.md").symlink_to(tmp_path / "private.md")
    folders = {"handbook": tmp_path / "handbook", "other": tmp_path}
    return Stores(ContentStore(str(tmp_path / "contents")), Library(folders))


def agent(name: str, **more: Any) -> CodeAgent:
    return CodeAgent(callable=f"tests.activities.minds:{name}", **more)


async def run(stores: Stores, known: CodeAgent, planned: CodeAgent | None = None, **context: Any) -> AgentResult:
    runner = AgentRunner({"a": known}, tools(), ToolServers({}), stores=stores, policy=OPEN)
    call = AgentCall(mission="m", path="p", name="a", agent=planned or known, task="t", context=context)
    result: AgentResult = await stage().run(runner.run, call)
    return result


@pytest.mark.parametrize("name", ["leaving_files", "leaving_files_plainly"])
async def test_an_agent_leaves_files_whose_digests_the_result_has(stores, name):
    result = await run(stores, agent(name), name="plan.md")

    digest = "sha256:" + hashlib.sha256(b"# The plan").hexdigest()
    assert [("plan.md", "text/markdown", digest, 10)] == [
        (one.name, one.media_type, one.digest, one.size) for one in result.artifacts
    ]
    assert b"# The plan" == await stores.content.get(digest)
    last = result.observations[-1]
    assert ("artifact", digest) == (last.kind, last.source)


@pytest.mark.parametrize("name", ["../plan.md", "/etc/passwd", "a/b", "", ".bashrc", "a\n", "x" * 101, "a\\b"])
async def test_a_name_that_leads_out_of_a_folder_is_refused(stores, name):
    runner = AgentRunner({"a": agent("leaving_files")}, tools(), ToolServers({}), stores=stores, policy=OPEN)
    call = AgentCall(mission="m", path="p", name="a", agent=agent("leaving_files"), task="t", context={"name": name})
    error = await failing(stage().run(runner.run, call))

    assert ("tool_failed", True) == (told(error)[0], "is no name for a file" in error.message)


async def test_an_agent_searches_its_knowledge_and_cites_it(stores):
    result = await run(stores, agent("searching", knowledge=("handbook",)), query="a cable?")

    [first, *_] = result.output["passages"]
    assert ("handbook/isolate.md#1", "Isolating a host") == (first["source"], first["title"])
    assert "Pull the cable" in first["text"]
    assert ["handbook/paper.pdf cannot be read"] == result.output["left_out"]
    digest = "sha256:" + hashlib.sha256(PAGES["isolate.md"].encode()).hexdigest()
    assert ("handbook/isolate.md#1", digest) == (result.sources[0].source, result.sources[0].digest)
    cited = [one.source for one in result.observations if one.kind == "citation"]
    assert cited == [one.source for one in result.sources] == [one["source"] for one in result.output["passages"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tickets", ["handbook/isolate.md#2"]),
        ("VPN", ["handbook/page.html#1"]),
        ("secret", []),
        ("passwords", ["handbook/deep/phish.txt#1"]),
        ('" OR body NOT NEAR(', []),
        ("?!", []),
    ],
)
async def test_what_is_searched_for_is_words_in_documents_of_the_folder(stores, query, found):
    result = await run(stores, agent("searching", knowledge=("handbook",)), query=query)

    assert found == [one["source"] for one in result.output["passages"]]


async def test_with_an_embedding_model_what_is_said_in_other_words_is_found(stores, tmp_path, models):
    meaning = Meaning("any", models.url)
    library = Library({"handbook": tmp_path / "handbook"}, meaning)
    models.embedded, models.mute = [], False

    async def sources(query: str) -> list[str]:
        return [one.source for one in (await library.search(["handbook"], query, 2)).passages]

    assert "handbook/isolate.md#1" == (await sources("disconnect it"))[0], "no page has that word"
    once = len(models.embedded)
    assert "handbook/deep/phish.txt#1" == (await sources("credential theft"))[0]
    assert ["credential theft"] == models.embedded[once:], "only the query is embedded anew"
    assert "handbook/isolate.md#2" in await sources("tickets"), "words still count"

    models.mute = True
    found = await library.search(["handbook"], "tickets", 2)
    assert ["handbook/isolate.md#2"] == [one.source for one in found.passages]
    assert "only words were searched for" in found.left_out[-1]
    models.mute = False


def pdf(*pages: str) -> bytes:
    """Write a document with one line of text on each page."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    parts = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for n, text in enumerate(pages):
        line = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        fonts = "/Resources << /Font << /F1 3 0 R >> >>"
        parts += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] {fonts} /Contents {5 + 2 * n} 0 R >>",
            f"<< /Length {len(line)} >>\nstream\n{line}\nendstream",
        ]
    written, places = "%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        places.append(len(written))
        written += f"{number} 0 obj\n{part}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    head = f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n{table}trailer\n"
    return f"{written}{head}<< /Size {len(parts) + 1} /Root 1 0 R >>\nstartxref\n{len(written)}\n%%EOF\n".encode()


async def test_a_pdf_is_searched_and_one_of_pictures_is_left_out(stores, tmp_path):
    (tmp_path / "handbook" / "paper.pdf").write_bytes(pdf("Turbines are greased", "every second spring"))
    (tmp_path / "handbook" / "scan.pdf").write_bytes(pdf(""))

    output = (await run(stores, agent("searching", knowledge=("handbook",)), query="spring")).output

    assert [("handbook/paper.pdf#1", "Turbines are greased\n\nevery second spring")] == [
        (one["source"], one["text"]) for one in output["passages"]
    ]
    assert ["handbook/scan.pdf cannot be read"] == output["left_out"]


async def test_a_worker_without_the_extra_says_that_it_leaves_pdfs_out(stores, monkeypatch):
    monkeypatch.setitem(sys.modules, "pypdf", None)

    output = (await run(stores, agent("searching", knowledge=("handbook",)), query="cable")).output

    assert ["PDF files are left out: this worker lacks 'gonogo[pdf]'"] == output["left_out"]


async def test_a_document_that_changed_is_read_again(stores, tmp_path):
    knowing = agent("searching", knowledge=("handbook",))
    assert [] == (await run(stores, knowing, query="firewall")).output["passages"]
    (tmp_path / "handbook" / "new.md").write_text("Mind the firewall.")

    assert ["handbook/new.md#1"] == [
        one["source"] for one in (await run(stores, knowing, query="firewall")).output["passages"]
    ]


@pytest.mark.parametrize("known", [("handbook",), ()])
async def test_an_agent_searches_only_what_its_plan_and_this_workspace_both_name(stores, known):
    runner = AgentRunner(
        {"a": agent("searching", knowledge=known)}, tools(), ToolServers({}), stores=stores, policy=OPEN
    )
    planned = agent("searching", knowledge=() if known else ("handbook",))
    call = AgentCall(mission="m", path="p", name="a", agent=planned, task="t", context={"query": "cable"})
    error = await failing(stage().run(runner.run, call))

    assert "a was refused: 'search_knowledge' is not among the agent's tools: none" == error.message
