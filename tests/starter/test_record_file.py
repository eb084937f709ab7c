"""Records of missions: made from recorded histories, exported from a server, checked by the command line."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities import public_key, service_keys
from activities.verify import verify
from starter.history import Part, Reader, part_of
from starter.record import recorded, signed
from tests.payloads import DATA_CONVERTER
from tests.workflows.test_replay import HISTORIES, TABLES, history_in

KEY = Ed25519PrivateKey.generate()
PROVED = frozenset(
    ("start", "admission", "step", "observation", "policy", "decision", "command", "action", "receipt", "compensation",
     "cost", "end")
)  # fmt: skip
"""Each entry says why; and who did it, but for statements whose signer nobody knows, or not yet."""


def by_mission(paths):
    """The histories of each mission: `asked_back.1`, `asked_back.2`, …"""
    found = {}
    for path in paths:
        found.setdefault(path.stem.rpartition(".")[0], []).append(path)
    return sorted(found.items())


GOLDEN = dict(one for paths in (HISTORIES, TABLES) for one in by_mission(paths))


async def record_of(*parts):
    return await recorded(Reader(DATA_CONVERTER, whole=True), "default", "m-1", parts)


@pytest.mark.parametrize("name", GOLDEN)
async def test_every_recorded_history_makes_one_record(name):
    """The same each time; and what a mission had told before it went on is the beginning of what it tells later."""
    parts = [part_of(history_in(path)) for path in GOLDEN[name]]
    book, again = [await record_of(*parts) for _ in range(2)]
    head = verify(book.lines(signed(book.head, KEY)), [public_key.spell(KEY.public_key())])

    assert [link.line for link in book.links] == [link.line for link in again.links]
    assert (len(book.links), len(parts)) == (head.count, len(head.runs))
    assert book.entries[0].topic in {"start", "run"}
    assert "other" not in {entry.topic for entry in book.entries}
    assert [] == [one for one in book.entries if one.topic in PROVED and not one.why]
    assert [] == [one for one in book.entries if one.topic in PROVED - {"decision"} and not one.who]
    earlier = [parts[: before + 1] for before in range(len(parts) - 1)]
    for some in (*earlier, [*parts[:-1], Part(parts[-1].run, _cut(parts[-1].history))]):
        early = await record_of(*some)
        assert early.links == book.links[: len(early.links)]


def _cut(history):
    return replace(history, events=history.events[: len(history.events) * 2 // 3])


@pytest.fixture
async def exported(gonogo, client, waiting, shared_home, tmp_path):
    """The file of a mission that has run to its end, and the mission."""
    service_keys.make(shared_home, "recorder")
    file = tmp_path / "record.jsonl"
    await gonogo("approve", waiting, "isolate", "--as", "otto")
    await gonogo("approve", waiting, "isolate", "--as", "maya", "--comment", "go")
    async with asyncio.timeout(20):
        await client.get_workflow_handle(waiting).result()
    told = await gonogo("audit", waiting, "--export", str(file))
    assert (0, True) == (told.code, f"{file}: " in told.out), told.err
    return file, waiting


async def test_an_export_is_verified_without_server_or_home(gonogo, exported, shared_home, tmp_path, monkeypatch):
    file, mission = exported
    people, services = shared_home / "people.yaml", shared_home / "services.yaml"
    monkeypatch.setenv("GONOGO_HOME", str(tmp_path / "nothing"))
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")

    told = await gonogo("audit", "verify", str(file), "--services", str(services), "--people", str(people))
    unkeyed = await gonogo("audit", "verify", str(file))
    [key] = service_keys.read(services)["recorder"][-1:]
    by_key = await gonogo("audit", "verify", str(file), "--key", key, "--json")

    assert (0, "", True) == (told.code, told.err, f"entries of {mission}, 2 signed statements" in told.out)
    assert (2, True) == (unkeyed.code, "has no public key of the recorder" in unkeyed.err)
    assert (0, mission, True) == (by_key.code, by_key.json["head"]["mission"], by_key.json["head"]["ended"])


async def test_the_record_says_who_decided_and_what_that_allowed(exported):
    file, _ = exported
    said = [json.loads(line)["content"] for line in file.read_bytes().splitlines()[1:-1]]
    by_what = {one["what"]: one for one in said}
    approved, ordered = by_what["decision accepted"], by_what["action ordered"]

    assert ("maya", "go", "decision") == (approved["who"], approved["why"], approved["topic"])
    assert "otto" == by_what["decision refused"]["who"]
    assert by_what["decision refused"]["token"]
    assert approved["detail"]["token_digest"] in {
        digest for one in said if one["what"] == "action ordered" for digest in one["detail"].get("decisions", ())
    }
    noted = by_what["observations noted"]
    assert ("observation", "looker", {"observations": 1}) == (noted["topic"], noted["who"], noted["detail"])
    assert noted["digest"].startswith("sha256:")
    assert ("cost", 1) == (by_what["cost counted"]["topic"], by_what["cost counted"]["detail"]["cost"]["tool_calls"])
    assert 1 == by_what["mission completed"]["detail"]["cost"]["agent_runs"]
    assert ordered["detail"]["key"].startswith("sha256:")


async def test_a_record_that_was_touched_is_refused_with_the_line(gonogo, exported, shared_home):
    file, _ = exported
    lines = file.read_bytes().splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines, 1) if b'"decision accepted"' in line)
    lines[number - 1] = lines[number - 1].replace(b'"maya"', b'"otto"')
    file.write_bytes(b"".join(lines))

    told = await gonogo("audit", "verify", str(file))

    assert (1, True) == (told.code, f"line {number}: entry {number - 1} was changed" in told.err)


async def test_a_statement_that_says_something_else_than_the_record_is_found(gonogo, client, exported, shared_home):
    """The recorder's own key does not make somebody's decision of anybody else."""
    from activities import chain as chained
    from starter.record import Book, read

    file, mission = exported
    book = await read(client, mission)
    for change, said in (
        ({"who": "otto"}, "the statement says another who than the record: 'maya', not 'otto'"),
        ({"token": ""}, "the decision accepted has no signed statement beside it"),
    ):
        entries = [one.model_copy(update=change) if one.what == "decision accepted" else one for one in book.entries]
        lied = Book(book.chain, tuple(entries), tuple(chained.links(entries, chained.genesis(book.chain))))
        file.write_bytes(b"".join(lied.lines(signed(lied.head, service_keys.private(shared_home, "recorder")))))
        told = await gonogo("audit", "verify", str(file), "--people", str(shared_home / "people.yaml"))

        assert (1, True) == (told.code, said in told.err), told.err
        assert 0 == (await gonogo("audit", "verify", str(file))).code


async def test_what_cannot_be_verified_says_why(gonogo, tmp_path, shared_home):
    other = tmp_path / "other.jsonl"
    other.write_text("{}\n")

    missing = await gonogo("audit", "verify", str(tmp_path / "none.jsonl"))
    strange = await gonogo("audit", "verify", str(other))
    weak = await gonogo("audit", "verify", str(other), "--key", "A" * 43)

    assert (2, True) == (missing.code, "cannot be read: No such file" in missing.err)
    assert (1, True) == (strange.code, "line 1: the first line is no header of a record" in strange.err)
    assert (2, True) == (weak.code, "it is weak" in weak.err)
    assert Path(shared_home / "services.yaml").is_file()
