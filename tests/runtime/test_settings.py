"""Settings: read from the environment once, with one clear sentence for what cannot be used."""

from pathlib import Path

import pytest

from runtime.settings import SettingRefused, Settings


def test_an_empty_environment_gives_folders_beside_us(tmp_path: Path) -> None:
    (tmp_path / "missions").mkdir()

    settings = Settings.read({}, tmp_path)

    assert (tmp_path / "missions", tmp_path / ".gonogo") == (settings.workspace, settings.home)
    assert ("", "", None) == (settings.person, settings.address, settings.max_cached_workflows)
    assert "http://127.0.0.1:8765/mcp" == settings.company_url


def test_the_shipped_missions_serve_where_the_folder_has_none(tmp_path: Path) -> None:
    assert Path(__file__).parents[2] / "missions" == Settings.read({}, tmp_path).workspace


def test_the_environment_says_where_everything_is(tmp_path: Path) -> None:
    settings = Settings.read(
        {
            "GONOGO_WORKSPACE": str(tmp_path / "w"),
            "GONOGO_HOME": str(tmp_path / "h"),
            "GONOGO_PERSON": "anna",
            "GONOGO_COMPANY_URL": "http://company/mcp",
            "GONOGO_MAX_CACHED_WORKFLOWS": "0",
        }
    )

    expected = Settings(
        workspace=tmp_path / "w",
        home=tmp_path / "h",
        person="anna",
        company_url="http://company/mcp",
        max_cached_workflows=0,
    )
    assert expected == settings
    assert (tmp_path / "w" / "people.yaml", tmp_path / "h" / "people.yaml") == settings.people_files()


@pytest.mark.parametrize("text", ["-1", "many", "1.5", "\u0664"])
def test_a_count_that_is_none_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(SettingRefused, match=r"GONOGO_MAX_CACHED_WORKFLOWS is .*; write a whole number, 0 or more"):
        Settings.read({"GONOGO_MAX_CACHED_WORKFLOWS": text})


def test_a_model_is_named_with_its_provider_or_with_its_address() -> None:
    known = Settings.read({"GONOGO_MODEL": "anthropic:some"})
    local = Settings.read({"GONOGO_MODEL": "some", "GONOGO_MODEL_URL": "http://x/v1", "GONOGO_MODEL_KEY": "secret"})

    assert ("anthropic:some", "") == (known.model, known.model_url)
    assert ("some", "http://x/v1", "secret") == (local.model, local.model_url, local.model_key.get_secret_value())
    assert "secret" not in repr(local)


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        (
            {"GONOGO_MODEL": "some"},
            "GONOGO_MODEL is 'some'; write 'provider:name', or say in GONOGO_MODEL_URL where it is",
        ),
        ({"GONOGO_MODEL_URL": "http://x"}, "GONOGO_MODEL is not set, and GONOGO_MODEL_URL is: name the model there"),
        ({"GONOGO_MODEL_KEY": "k"}, "GONOGO_MODEL is not set, and GONOGO_MODEL_KEY is: name the model there"),
        (
            {"GONOGO_MODEL": "some", "GONOGO_MODEL_URL": "localhost"},
            "GONOGO_MODEL_URL is 'localhost'; write an address such as 'http://127.0.0.1:11434/v1'",
        ),
    ],
)
def test_a_model_that_nobody_could_reach_is_refused(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        Settings.read(environ)

    assert sentence == str(refused.value)


def test_contents_lie_in_the_home_unless_the_environment_says_where(tmp_path: Path) -> None:
    def said(text: str) -> str:
        return Settings.read({"GONOGO_PAYLOADS": text}, tmp_path).contents()

    assert str(tmp_path / ".gonogo" / "payloads") == said("")
    assert [str(tmp_path / "far"), "/far", "s3://ours/gonogo"] == [said("far"), said("/far"), said("s3://ours/gonogo")]


@pytest.mark.parametrize("text", ["gs://ours", "s3://", "s3:///", "file:///tmp"])
def test_a_place_that_we_cannot_use_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(SettingRefused, match=r"GONOGO_PAYLOADS is .*; write a folder, or s3://BUCKET/PREFIX"):
        Settings.read({"GONOGO_PAYLOADS": text})
