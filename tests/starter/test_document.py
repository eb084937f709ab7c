"""What people hand over as a file is read, or refused with its place."""

import pytest

from starter.document import read_document
from starter.problem import Usage


def test_a_document_is_read(tmp_path):
    (tmp_path / "a.json").write_text('\ufeff{"a": [1, null]}', encoding="utf-8")

    assert {"a": [1, None]} == read_document(str(tmp_path / "a.json"))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"a": 1,}', r"a\.json:1:\d: this is no JSON"),
        (b'{\n"a" 1}', r"a\.json:2:5: this is no JSON"),
        (b"", r"a\.json:1:1: this is no JSON"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice"),
        (b"\xff\xfe", "this is no UTF-8 text"),
        (b"[" * 100_000, "nested too deeply"),
        (b" " * 1_000_001, "larger than 1 MB"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(tmp_path, raw, said):
    (tmp_path / "a.json").write_bytes(raw)

    with pytest.raises(Usage, match=said):
        read_document(str(tmp_path / "a.json"))


def test_a_file_that_is_not_there_and_a_folder_are_said(tmp_path):
    with pytest.raises(Usage, match="No such file"):
        read_document(str(tmp_path / "none.json"))
    with pytest.raises(Usage, match="Is a directory"):
        read_document(str(tmp_path))
