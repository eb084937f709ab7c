"""Keys of services: made once, private, registered, and no person's."""

from pathlib import Path

import pytest
import yaml

from activities import keys, public_key, service_keys
from activities.keys import KeyRefused
from activities.people import Directory, Unreadable


def test_a_key_is_made_once_and_its_public_half_is_registered(tmp_path: Path) -> None:
    service_keys.make(tmp_path, "executor")
    first = service_keys.private(tmp_path, "executor")
    service_keys.make(tmp_path, "executor")

    again = service_keys.private(tmp_path, "executor")
    assert first.private_bytes_raw() == again.private_bytes_raw()
    assert {"executor": (public_key.spell(first.public_key()),)} == service_keys.public(tmp_path)
    assert 0o600 == service_keys.private_path(tmp_path, "executor").stat().st_mode & 0o7777


def test_a_replaced_key_still_verifies_what_it_signed(tmp_path: Path) -> None:
    service_keys.make(tmp_path, "recorder")
    [old] = service_keys.public(tmp_path)["recorder"]
    service_keys.make(tmp_path, "recorder", replace=True)

    new = public_key.spell(service_keys.private(tmp_path, "recorder").public_key())
    assert (old, new) == service_keys.public(tmp_path)["recorder"]
    assert old != new


def test_a_public_half_that_was_lost_is_registered_again(tmp_path: Path) -> None:
    service_keys.make(tmp_path, "broker")
    known = service_keys.public(tmp_path)
    (tmp_path / "services.yaml").unlink()
    service_keys.make(tmp_path, "broker")

    assert known == service_keys.public(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: {courier: []}", "input should be 'executor'"),
        (
            "services: {executor: [AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA]}",
            "a key of executor cannot be used: it is",
        ),
        ("services: [", "services.yaml"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "services.yaml").write_text(text)

    with pytest.raises(KeyRefused, match=said):
        service_keys.public(tmp_path)


def test_a_missing_key_says_how_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused, match="gonogo keys make broker"):
        service_keys.private(tmp_path, "broker")


def test_no_service_shares_its_key_with_a_person_or_with_another(tmp_path: Path) -> None:
    service_keys.make(tmp_path, "executor")
    keys.create(tmp_path, "anna", ("secops",))
    services, people = dict(service_keys.public(tmp_path)), {"anna": keys.registered(tmp_path).people["anna"].keys}
    service_keys.demand_apart(services, people)

    with pytest.raises(KeyRefused, match="the service executor and anna have the same key"):
        service_keys.demand_apart(services, {"anna": services["executor"]})
    with pytest.raises(KeyRefused, match="the service executor and the service broker have the same key"):
        service_keys.demand_apart({**services, "broker": services["executor"]}, people)


def test_while_a_person_has_the_key_of_a_service_nobody_may_decide(tmp_path: Path) -> None:
    """What acts would approve itself: also where the key comes into a file while workers run."""
    keys.create(tmp_path, "anna", ("secops",))
    directory = Directory(tmp_path / "workspace.yaml", tmp_path / "people.yaml")
    assert ["anna"] == list(directory.people().people)

    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "executor.pem").write_bytes((tmp_path / "keys" / "anna.pem").read_bytes())
    (tmp_path / "services" / "executor.pem").chmod(0o600)
    service_keys.make(tmp_path, "executor")

    with pytest.raises(Unreadable, match="the service executor and anna have the same key: each needs its own"):
        directory.people()


def test_a_key_that_somebody_else_has_is_registered_for_no_service(tmp_path: Path) -> None:
    keys.create(tmp_path, "anna", ("secops",))
    people = {"anna": keys.registered(tmp_path).people["anna"].keys}
    copied = tmp_path / "services" / "executor.pem"
    copied.parent.mkdir()
    copied.write_bytes((tmp_path / "keys" / "anna.pem").read_bytes())
    copied.chmod(0o600)

    with pytest.raises(KeyRefused, match="the service executor and anna have the same key: each needs its own"):
        service_keys.make(tmp_path, "executor", people=people)
    assert not (tmp_path / "services.yaml").exists()

    service_keys.make(tmp_path, "executor", people=people, replace=True)
    made = (tmp_path / "services.yaml").read_bytes()
    (tmp_path / "services" / "broker.pem").write_bytes(copied.read_bytes())
    (tmp_path / "services" / "broker.pem").chmod(0o600)
    with pytest.raises(KeyRefused, match="the service executor and the service broker have the same key"):
        service_keys.make(tmp_path, "broker", people=people)
    assert made == (tmp_path / "services.yaml").read_bytes()


def test_the_file_is_plain_yaml(tmp_path: Path) -> None:
    service_keys.make(tmp_path, "executor")

    assert ["executor"] == list(yaml.safe_load((tmp_path / "services.yaml").read_text())["services"])
