"""YAML without its surprises: texts stay texts, and what is no page of settings is refused."""

import pytest

from cxkit.errors import UsageError
from cxkit.settings_file import read_yaml


def write(tmp_path, text):
    path = tmp_path / "page.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def test_texts_stay_as_they_were_written(tmp_path):
    text = "a: no\nb: 0123\nc: 2026-06-30\nd: [1, 2.5, true, on]\ne: {<<: x}\nf:\ng: Ї\n"
    assert read_yaml(write(tmp_path, b"\xef\xbb\xbf" + text.encode()), begins="`a:`") == {
        "a": "no",
        "b": "0123",
        "c": "2026-06-30",
        "d": [1, 2.5, True, "on"],
        "e": {"<<": "x"},
        "f": None,
        "g": "Ї",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no settings; it begins with `stages:`."),
        ("- a\n", "holds no settings; it begins with `stages:`."),
        ("# " + "x" * 1_000_001, "holds over 1 MB; it is to be a page of settings."),
        ("a: Ї".encode("cp1251"), "is not UTF-8 (byte 3); save it as UTF-8."),
        ("a: &x [1]\nb: *x\n", "aliases (&name, *name) are not read; write the value out."),
        ("a: {b: 1, b: 2}\n", "line 1: the key 'b' stands there twice; keep one."),
        ("a: !!python/name:os.system\n", "page.yml is plain YAML: keys, texts, numbers, lists; no tags."),
        ("a: [\n", "line 2, column 1: "),
        ("[" * 5000, "page.yml is plain YAML"),
    ],
)
def test_anything_else_is_refused_with_its_place(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(UsageError) as error:
        read_yaml(path, begins="`stages:`")
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"there is no file .*page\.yml; it is to begin with `stages:`\."):
        read_yaml(tmp_path / "page.yml", begins="`stages:`")
    with pytest.raises(UsageError, match="cannot be read"):
        read_yaml(tmp_path, begins="`stages:`")
