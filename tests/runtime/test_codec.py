"""What is encrypted for one mission opens for it alone; whatever else comes is refused, and says why."""

import base64
import os

import pytest
import yaml
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import ActivitySerializationContext, WorkflowSerializationContext
from temporalio.exceptions import ApplicationError

from activities.payload_keys import Keys, read, rotate
from activities.public_key import KeyRefused
from activities.seal import Clear, Sealed, Unsealed, close_text, open_text
from contracts.payload import NO_KEY, Bulky, PayloadRefused
from runtime.payloads import data_converter, sealing
from runtime.settings import SettingRefused, Settings

SECRET = "canary-7f3a"


class Large(Bulky):
    text: str


def of(converter, mission="m", namespace="default"):
    return converter.with_context(WorkflowSerializationContext(namespace, mission))


@pytest.fixture
def keys(tmp_path):
    rotate(tmp_path / "keys.yaml")
    return tmp_path / "keys.yaml"


@pytest.fixture
def converter(keys, tmp_path):
    return data_converter(str(tmp_path / "payloads"), sealing(keys))


async def test_a_payload_opens_for_its_mission_and_its_activities(converter):
    [payload] = await of(converter).encode([{"a": SECRET}])
    context = ActivitySerializationContext("default", "1", "agent.run", "q", "m", "t", is_local=False)

    assert SECRET.encode() not in payload.SerializeToString()
    assert [{"a": SECRET}] == await of(converter).decode([payload])
    assert [{"a": SECRET}] == await converter.with_context(context).decode([payload])


async def test_whatever_else_comes_is_refused_and_says_why(converter, keys, tmp_path):
    [good] = await of(converter).encode([SECRET])
    clear = Payload(metadata={"encoding": b"json/plain"}, data=b'"hello"')
    changed = Payload(metadata=good.metadata, data=good.data[:-1] + bytes([good.data[-1] ^ 1]))
    other = tmp_path / "other.yaml"
    rotate(other)
    other_converter = data_converter(str(tmp_path), sealing(other))
    cases = [
        (of(converter), clear, "it is not encrypted"),
        (of(converter, "n"), good, "it was encrypted for something else, or it was changed"),
        (of(converter, namespace="prod"), good, "it was encrypted for something else, or it was changed"),
        (of(converter), changed, "it was encrypted for something else, or it was changed"),
        (converter, good, "it is not known which mission it belongs to"),
        (of(converter), Payload(metadata=good.metadata, data=good.data[:30]), "it is cut short"),
        (of(converter), Payload(metadata=good.metadata, data=good.data[:9]), "it is cut short"),
        (of(converter), Payload(metadata=good.metadata), "it is not encrypted"),
        (of(other_converter), good, f"the key {read(keys)[0]!r}, which is not among those here"),
    ]
    for reader, payload, reason in cases:
        with pytest.raises(PayloadRefused) as refused:
            await reader.decode([payload])
        assert reason in str(refused.value)


async def test_every_cut_and_every_flipped_byte_is_refused(converter):
    codec = of(converter).payload_codec
    [good] = await of(converter).encode([SECRET])
    for at in range(len(good.data)):
        flipped = good.data[:at] + bytes([good.data[at] ^ 0x40]) + good.data[at + 1 :]
        for data in (good.data[:at], flipped):
            with pytest.raises(Unsealed):
                codec.open(Payload(metadata=good.metadata, data=data))


async def test_nothing_is_encrypted_for_nobody(converter):
    with pytest.raises(Unsealed, match="belongs to no mission"):
        await converter.encode([SECRET])


async def test_what_lies_apart_is_encrypted_and_only_our_references_lead_to_it(converter, tmp_path):
    large = Large(text=SECRET * 5_000)
    [reference] = await of(converter).encode([large])
    kept = b"".join(file.read_bytes() for file in (tmp_path / "payloads").rglob("*") if file.is_file())
    digest = b"sha256:" + b"0" * 64
    forged = Payload(
        metadata=reference.metadata, data=b'{"driverName":"gonogo.content","claimData":{"digest":"%b"}}' % digest
    )

    assert len(kept) > 50_000
    assert SECRET.encode() not in kept + reference.SerializeToString()
    assert [large] == await of(converter).decode([reference], [Large])
    for reader, payload in ((of(converter, "n"), reference), (of(converter), forged)):
        with pytest.raises(PayloadRefused):
            await reader.decode([payload], [Large])


async def test_a_new_key_counts_at_once_and_the_old_one_still_opens_until_it_is_gone(converter, keys):
    [old] = await of(converter).encode([SECRET])
    first = read(keys)[0]
    second = rotate(keys)
    [new] = await of(converter).encode([SECRET])

    assert (first.encode() in old.data, second.encode() in new.data) == (True, True)
    assert [SECRET, SECRET] == [*await of(converter).decode([old]), *await of(converter).decode([new])]

    file = yaml.safe_load(keys.read_text())
    del file["keys"][first]
    keys.write_text(yaml.safe_dump(file, default_style='"'))
    assert [SECRET] == await of(converter).decode([new])
    [lost] = await of(converter).payload_codec.decode([old])
    assert NO_KEY in lost.metadata


async def test_failures_are_encrypted_with_their_causes_and_one_in_the_clear_tells_nothing(converter):
    cause = ValueError(SECRET)
    error = ApplicationError(SECRET, {"applied": "no", "secret": SECRET}, type="tool_failed")
    error.__cause__ = cause
    failure, forged = Failure(), Failure(message=SECRET)
    await of(converter).encode_failure(error, failure)
    forged.application_failure_info.type = "tool_failed"
    forged.application_failure_info.non_retryable = False

    assert SECRET.encode() not in failure.SerializeToString()
    read_back = await of(converter).decode_failure(failure)
    assert (SECRET, "tool_failed", "no") == (read_back.message, read_back.type, read_back.details[0]["applied"])
    assert SECRET in str(read_back.__cause__)
    refused = await of(converter).decode_failure(forged)
    assert ("refused", True, ()) == (refused.type, refused.non_retryable, refused.details)
    assert SECRET not in str(refused)


def test_a_file_of_keys_that_cannot_be_trusted_is_one_sentence(tmp_path):
    file = tmp_path / "keys.yaml"
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    broken = {
        "current: a\nkeys: {a: x}\n": "the key a is not 32 bytes in base64url",
        f"current: b\nkeys: {{a: {key}}}\n": "the current key 'b' is not among the keys",
        f"current: a\nkeys: {{a: {key}, b: {key}}}\n": "two keys are the same",
        f"current: a\nkeys: {{'a b': {key}}}\n": "'a b' is no id of a key",
        "current: a\n": "the key 'keys' is missing",
        f"current: a\nkeys: {{a: {key}}}\nmore: 1\n": "unknown key 'more'",
    }
    for text, said in broken.items():
        file.write_text(text)
        file.chmod(0o600)
        with pytest.raises(SettingRefused) as refused:
            sealing(file)
        assert said in str(refused.value)
        assert key not in str(refused.value)
    file.chmod(0o644)
    with pytest.raises(SettingRefused, match="only 0600 is safe"):
        sealing(file)
    with pytest.raises(SettingRefused, match="there are no payload keys"):
        sealing(tmp_path / "none.yaml")


def test_keys_that_are_taken_away_seal_and_open_nothing(keys):
    seal = Sealed(Keys(keys))
    kept = seal.close(b"x", "y")
    keys.unlink()
    for work in (lambda: seal.close(b"x", "y"), lambda: seal.open(kept, "y")):
        with pytest.raises(KeyRefused):
            work()


def test_the_file_is_named_or_lies_at_home_and_who_has_none_is_told_that_it_needs_one(keys, tmp_path):
    kept = sealing(keys).close(b"x", "y")
    (tmp_path / "home").mkdir()
    rotate(tmp_path / "home" / "payload_keys.yaml")

    def found(**environ):
        return Settings.read(environ, tmp_path).payload_keys

    assert found(GONOGO_PAYLOAD_KEYS="keys.yaml") == keys
    assert found(GONOGO_HOME="home") == tmp_path / "home" / "payload_keys.yaml"
    assert found() is None
    with pytest.raises(Unsealed, match="GONOGO_PAYLOAD_KEYS names the file"):
        Clear().open(kept, "y")


@pytest.mark.parametrize("text", ['""', '{"a": "ü"}'])
def test_texts_come_back_as_they_were_sealed_or_not(keys, text):
    for seal in (Clear(), sealing(keys)):
        assert text == open_text(seal, close_text(seal, text, "answer", "1"), "answer", "1")
