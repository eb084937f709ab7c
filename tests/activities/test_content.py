"""Content by its digest: what is read is what was written, in a folder and over S3's protocol alike."""

import asyncio
import hashlib
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from activities.content import ContentLost, ContentStore
from activities.payload_keys import rotate
from tests.activities.service import free_port
from tests.sealed import sealed

DIGEST = "sha256:" + hashlib.sha256(b"a page").hexdigest()


@pytest.fixture
def place(tmp_path):
    return tmp_path / "payloads"


async def test_what_is_put_is_had_by_its_digest_however_often(place):
    store = ContentStore(str(place))

    assert [DIGEST, DIGEST] == [await store.put(b"a page"), await store.put(b"a page")]
    assert b"a page" == await store.get(DIGEST)
    assert b"a page" == await ContentStore(str(place)).get(DIGEST)
    assert 1 == sum(file.is_file() for file in place.rglob("*"))


async def test_what_was_changed_behind_our_back_is_not_returned(place):
    store = ContentStore(str(place))
    await store.put(b"a page")
    [file] = [file for file in place.rglob("*") if file.is_file()]
    file.write_bytes(b"another")

    with pytest.raises(ContentLost, match="is something else"):
        await store.get(DIGEST)


async def test_what_is_not_there_is_told_with_the_place_and_the_variable(place):
    with pytest.raises(ContentLost, match=f"{place} has no {DIGEST}; GONOGO_PAYLOADS says where it is looked for"):
        await ContentStore(str(place)).get(DIGEST)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "sha256:../x", "sha256:" + "A" * 64, DIGEST + "\n"])
async def test_what_is_no_digest_leads_nowhere(place, name):
    with pytest.raises(ContentLost, match="is no digest"):
        await ContentStore(str(place)).get(name)


async def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ContentLost, match="nothing can be kept in"):
        await ContentStore(str(tmp_path / "file" / "payloads")).put(b"a page")


@asynccontextmanager
async def bucket(monkeypatch):
    """A bucket at an address of our own that knows PUT and GET; yields what lies in it."""
    lying = {}

    async def answer(request):
        key = request.url.path
        if request.method == "PUT":
            lying[key] = await request.body()
            return Response(headers={"ETag": '"1"'})
        if key not in lying:
            return Response(status_code=404)
        return Response(lying[key], headers={"ETag": '"1"', "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"})

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["PUT", "GET"])])
    port = free_port()
    said = {
        "ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "ALLOW_HTTP": "true",
        "ACCESS_KEY_ID": "key",
        "SECRET_ACCESS_KEY": "secret",
        "REGION": "eu-west-1",
    }
    for name, value in said.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield lying
    finally:
        server.should_exit = server.force_exit = True
        await task


async def test_a_bucket_keeps_the_same_under_its_prefix(monkeypatch):
    async with bucket(monkeypatch) as lying:
        store = ContentStore("s3://ours/gonogo")

        assert DIGEST == await store.put(b"a page")
        assert b"a page" == await store.get(DIGEST)
        hexadecimal = DIGEST.removeprefix("sha256:")
        assert [f"/ours/gonogo/{hexadecimal[:2]}/{hexadecimal}"] == list(lying)
        lying.clear()
        with pytest.raises(ContentLost, match="s3://ours/gonogo has no"):
            await store.get(DIGEST)


async def test_with_keys_nobody_can_check_a_guess_by_a_files_name_and_what_lay_there_before_is_found(place, tmp_path):
    await ContentStore(str(place)).put(b"in the clear")
    early = hashlib.sha256(b"of before").hexdigest()
    seal = sealed(tmp_path)
    (place / early[:2]).mkdir()
    (place / early[:2] / early).write_bytes(seal.close(b"of before", "content", early))
    store = ContentStore(str(place), seal)
    digest = await store.put(b"a page")
    rotate(tmp_path / "payload_keys.yaml")
    again = await store.put(b"another page")
    names = {file.name for file in place.rglob("*") if file.is_file()}

    assert (b"a page", b"another page") == (await store.get(digest), await store.get(again))
    assert b"of before" == await store.get(f"sha256:{early}")
    assert not {digest.removeprefix("sha256:"), again.removeprefix("sha256:")} & names
    assert DIGEST == digest
    with pytest.raises(ContentLost, match="it is not encrypted"):
        await store.get("sha256:" + hashlib.sha256(b"in the clear").hexdigest())
