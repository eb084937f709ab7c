"""What items of maps are called where everybody reads, and words that stand where there is room for a text alone."""

import base64

from temporalio.converter import WorkflowSerializationContext

from activities.mission_payloads import spelt, unspelt
from activities.seal import SEALED, Clear, at
from contracts.observation import observed, whose
from contracts.veil import veiled
from runtime.payloads import data_converter
from starter.history import Reader
from tests.payloads import DATA_CONVERTER, PLACE_OF_ALL
from tests.sealed import sealed


def test_an_item_has_one_mark_in_one_mission_and_rounds_keep_their_numbers() -> None:
    path = "agree[2]/patch[web-01]/drain~1"
    one, other = veiled(path, "a secret"), veiled(path, "another")

    assert path == veiled(path, "")
    assert one == veiled(path, "a secret") != other
    assert "agree[2]/patch[*" == one[:16]
    assert one.endswith("]/drain~1")
    assert one[15:33] in veiled("patch[web-01]/look", "a secret")
    assert "web" not in one + other


def test_beside_a_mission_it_is_the_keys_that_mark(tmp_path) -> None:
    seal = sealed(tmp_path)

    assert "patch[web-01]" == at(Clear(), "patch[web-01]")
    assert at(seal, "patch[web-01]/a")[:-2] == at(seal, "patch[web-01]")
    assert at(seal, "patch[web-01]") != at(seal, "patch[web-02]")
    assert "roll_out[100]/deploy" == at(seal, "roll_out[100]/deploy")


def test_a_heartbeat_says_whose_it_is_where_its_activity_does_not() -> None:
    assert "patch[web-01]/look" == whose(({"observations": [], "step": "patch[web-01]/look"},))
    assert ["", "", ""] == [whose(details) for details in ((), ("words",), ({"observations": []},))]
    assert () == observed(({"observations": [], "step": "a"},))


async def test_words_are_read_by_who_has_the_keys_of_their_mission_alone(tmp_path) -> None:
    converter = data_converter(PLACE_OF_ALL, sealed(tmp_path))
    one, other = (converter.with_context(WorkflowSerializationContext("default", name)) for name in ("m-1", "m-2"))
    kept = await spelt(one, "the host is Ines's")
    garbage = SEALED + base64.b64encode(b"\xff\xff").decode()

    assert kept.startswith(SEALED)
    assert "Ines" not in kept
    assert "the host is Ines's" == await Reader(one, whole=True).words(kept)
    for reader, text in ((one, garbage), (other, kept), (one, f"{SEALED}no base64!"), (DATA_CONVERTER, kept)):
        assert "what was said cannot be read" == await Reader(reader, whole=True).words(text)
    assert "typed elsewhere" == await Reader(one).words("typed elsewhere")
    assert "in the clear" == await spelt(DATA_CONVERTER, "in the clear")
    assert unspelt("in the clear") is None
