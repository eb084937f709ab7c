"""Keys: made once, kept private, never weak, and never outside their folder."""

import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from activities import keys, public_key
from activities.keys import KeyRefused
from contracts.workspace import PeopleFile
from tests.activities import office

FIELD = 2**255 - 19
Y8 = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
SMALL = [
    bytes([1]) + bytes(31),
    (FIELD - 1).to_bytes(32, "little"),
    bytes(32),
    Y8,
    (FIELD - int.from_bytes(Y8, "little")).to_bytes(32, "little"),
    FIELD.to_bytes(32, "little"),
    (FIELD + 1).to_bytes(32, "little"),
]
WEAK = [*SMALL, *(raw[:31] + bytes([raw[31] | 0x80]) for raw in SMALL)]


def test_a_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    keys.create(tmp_path, "anna", ("secops",))

    assert 0o600 == (tmp_path / "keys" / "anna.pem").stat().st_mode & 0o7777
    assert 0o700 == (tmp_path / "keys").stat().st_mode & 0o7777
    assert 0o600 == (tmp_path / "people.yaml").stat().st_mode & 0o7777
    assert ["anna.pem"] == [path.name for path in (tmp_path / "keys").iterdir()]


def test_the_public_half_is_registered_with_the_roles(tmp_path: Path) -> None:
    made = keys.create(tmp_path, "anna", ("secops", "lead"))

    assert {"anna": made} == keys.registered(tmp_path).people
    assert ("secops", "lead") == made.roles


def test_a_role_that_yaml_would_read_as_false_stays_a_word(tmp_path: Path) -> None:
    keys.create(tmp_path, "anna", ("no", "0x1f", "1e5", "1:30", "12"))

    assert ("no", "0x1f", "1e5", "1:30", "12") == keys.registered(tmp_path).people["anna"].roles


def test_nobody_is_registered_before_the_first_key(tmp_path: Path) -> None:
    assert PeopleFile() == keys.registered(tmp_path)


def test_an_existing_key_is_not_overwritten(tmp_path: Path) -> None:
    keys.create(tmp_path, "anna")
    before = (tmp_path / "keys" / "anna.pem").read_bytes()

    with pytest.raises(KeyRefused, match="anna already has a key"):
        keys.create(tmp_path, "anna")

    assert before == (tmp_path / "keys" / "anna.pem").read_bytes()


def test_replacing_a_key_revokes_the_one_before_and_keeps_the_roles(tmp_path: Path) -> None:
    before = keys.create(tmp_path, "anna", ("secops",))
    after = keys.create(tmp_path, "anna", replace=True)

    assert 1 == len(after.keys)
    assert before.keys != after.keys
    assert ("secops",) == after.roles


def test_removing_a_person_takes_their_keys_out(tmp_path: Path) -> None:
    keys.create(tmp_path, "anna")
    keys.remove(tmp_path, "anna")

    assert {} == keys.registered(tmp_path).people
    with pytest.raises(KeyRefused, match="nobody named 'anna'"):
        keys.remove(tmp_path, "anna")


@pytest.mark.parametrize(
    "name",
    [
        "../anna",
        "..",
        ".",
        "",
        "a/b",
        "/etc/passwd",
        "a\\b",
        "a\n",
        "a\x00b",
        "-rf",
        ".hidden",
        "a" * 65,
        "änna",
        "a b",
    ],
)
def test_a_name_that_could_lead_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"

    with pytest.raises(KeyRefused, match="is no name for a person"):
        keys.create(home, name)
    with pytest.raises(KeyRefused, match="is no name for a person"):
        keys.sign(home, name, office.claims(iss=name))

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("role", ["", "a b", "../x", "a\n"])
def test_a_role_that_is_no_word_is_refused(tmp_path: Path, role: str) -> None:
    with pytest.raises(KeyRefused, match="is no name for a role"):
        keys.create(tmp_path, "anna", (role,))


def test_nobody_is_called_like_their_own_role(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused, match="cannot be both a person and their role"):
        keys.create(tmp_path, "Secops", ("secops",))


def test_a_second_name_that_differs_by_case_only_is_refused(tmp_path: Path) -> None:
    keys.create(tmp_path, "anna")

    with pytest.raises(KeyRefused, match="differs from the registered 'anna' by case only"):
        keys.create(tmp_path, "Anna")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o400, 0o700])
def test_a_key_that_others_could_read_is_not_used(tmp_path: Path, mode: int) -> None:
    keys.create(tmp_path, "anna")
    (tmp_path / "keys" / "anna.pem").chmod(mode)

    with pytest.raises(KeyRefused, match=f"has mode {mode:04o}; only 0600 is safe"):
        keys.sign(tmp_path, "anna", office.claims())


def test_a_key_behind_a_link_is_not_used(tmp_path: Path) -> None:
    keys.create(tmp_path, "anna")
    (tmp_path / "keys" / "bert.pem").symlink_to(tmp_path / "keys" / "anna.pem")

    with pytest.raises(KeyRefused, match=r"bert\.pem cannot be read"):
        keys.sign(tmp_path, "bert", office.claims(iss="bert"))


def test_a_missing_key_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused, match="make one with 'gonogo people add anna'"):
        keys.sign(tmp_path, "anna", office.claims())


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    keys.create(tmp_path, "anna")
    (tmp_path / "keys" / "anna.pem").write_text("not a key")

    with pytest.raises(KeyRefused, match="holds no Ed25519 key"):
        keys.sign(tmp_path, "anna", office.claims())


def test_nobody_signs_for_somebody_else(tmp_path: Path) -> None:
    keys.create(tmp_path, "bert")

    with pytest.raises(KeyRefused, match="what 'anna' says cannot be signed with the key of 'bert'"):
        keys.sign(tmp_path, "bert", office.claims())


@pytest.mark.parametrize("raw", WEAK, ids=bytes.hex)
def test_a_point_of_small_order_is_no_key(raw: bytes) -> None:
    with pytest.raises(KeyRefused, match="weak"):
        keys.check_public_key(raw)


def test_a_weak_key_really_lets_anyone_sign() -> None:
    """Why they are refused: under the neutral point the signature R = s*B verifies for every message."""
    weak = Ed25519PublicKey.from_public_bytes(SMALL[0])

    weak.verify(SMALL[0] + bytes(32), b"anything at all")


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_key_of_a_wrong_length_is_refused(length: int) -> None:
    with pytest.raises(KeyRefused, match=f"it has {length} bytes and should have 32"):
        keys.check_public_key(bytes(length))


def test_a_y_beyond_the_field_is_refused() -> None:
    with pytest.raises(KeyRefused, match="canonical encoding"):
        keys.check_public_key((FIELD + 3).to_bytes(32, "little"))


@pytest.mark.parametrize("spelling", ["***", "a", "{}=", " {}", "{}\n"])
def test_a_public_key_has_one_spelling(spelling: str) -> None:
    text = public_key.spell(Ed25519PrivateKey.generate().public_key())

    with pytest.raises(KeyRefused):
        public_key.load(spelling.format(text))


def test_a_strong_key_is_read_back() -> None:
    key = Ed25519PrivateKey.generate().public_key()

    assert key == public_key.load(public_key.spell(key))


def test_a_thumbprint_is_the_one_of_rfc_8037() -> None:
    assert "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" == keys.kid("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")


def test_people_who_register_at_once_all_end_up_in_the_file(tmp_path: Path) -> None:
    names = {f"person-{number}" for number in range(12)}
    threads = [threading.Thread(target=keys.create, args=(tmp_path, name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert names == set(keys.registered(tmp_path).people)


def test_a_broken_people_file_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_text("people: [")

    with pytest.raises(KeyRefused, match=r"people\.yaml:2:1: YAML_SYNTAX"):
        keys.create(tmp_path, "anna")

    assert "people: [" == (tmp_path / "people.yaml").read_text()
    assert [] == list((tmp_path / "keys").iterdir())


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(KeyRefused, match=r"keys cannot be kept in .*: Not a directory; set GONOGO_HOME elsewhere"):
        keys.create(tmp_path / "file", "anna")
