"""A folder of exports becomes a client, whole or not at all, and what is open is told."""

import errno
import os
import shutil
import stat
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from cxkit import inspect_file, new_client, run, sources
from cxkit.client import load_client
from cxkit.errors import RunError, UsageError
from cxkit.settings_file import read_yaml

CYRILLIC = ["№ замовлення;Покупець;Дата;Товар;Кількість;Сума;Статус;Телефон"] + [
    f"{1000 + i};к{i % 17};{i % 28 + 1:02d}.0{i % 6 + 1}.2026 1{i % 9}:2{i % 6};"
    f"{'Коляска «Їжак»' if i % 3 else 'Пляшечка'};{i % 3 + 1};{i * 37 % 900 + 99},5{i % 10};"
    f"{'Виконано' if i % 5 else 'Скасовано'};+38067123{i:04d}"
    for i in range(60)
]  # fmt: skip


@pytest.fixture
def sent(tmp_path, monkeypatch):
    """What a client sent: an export in cp1251, a workbook, an archive, a photograph, a letter, a copy of a copy."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "sent"
    (folder / "more").mkdir(parents=True)
    (folder / "замовлення.csv").write_bytes("\r\n".join(CYRILLIC).encode("cp1251"))
    (folder / "more" / "замовлення (2).csv").write_bytes("\r\n".join(CYRILLIC).encode("cp1251"))
    (folder / "photo.jpg").write_bytes(bytes(range(256)) * 20)
    (folder / "letter.txt").write_text("Dear consultant,\nhere are our files.\nRegards, Olena", encoding="utf-8")
    (folder / ".DS_Store").write_bytes(b"x")
    customers = {
        "ID klienta": [f"к{i}" for i in range(17)],
        "Data rejestracji": pd.date_range("2025-01-01 10:30", periods=17),
        "Miasto": ["Łódź", "Kraków"] * 8 + ["Gdańsk"],
        "E-mail": [f"jan{i}@poczta.pl" for i in range(17)],
    }
    pd.DataFrame(customers).to_excel(folder / "klienci.xlsx", index=False, engine="xlsxwriter")
    answers = "".join(f"2026-0{i % 6 + 1}-1{i % 9},к{i % 17},{i % 11},Good\n" for i in range(40))
    with zipfile.ZipFile(folder / "nps.zip", "w") as packed:
        packed.writestr("nps.csv", "Date,Customer,How likely are you to recommend us?,Comment\n" + answers)
    return folder


def test_from_the_folder_to_a_client_that_passes(sent, tmp_path):
    told = new_client.new_client("shop", [sent], currency="UAH", time_zone="Europe/Kyiv")
    home = tmp_path / "data" / "shop"
    for path in ("замовлення.csv", "photo.jpg", "more/замовлення (2).csv", "klienci.xlsx", "nps.zip"):
        assert (home / "exports" / path).read_bytes() == (sent / path).read_bytes()
    assert not (home / "exports" / ".DS_Store").exists()
    data = read_yaml(home / "client.yml", begins="client:")
    assert (data["client"], data["currency"], data["time_zone"]) == ("shop", "UAH", "Europe/Kyiv")
    orders = data["tables"]["orders"]
    assert orders["encoding"] == "cp1251"
    assert orders["columns"]["ordered_at"] == "Дата"
    lines = [line.strip() for line in told.splitlines()]
    assert lines[0] == f"{Path('data') / 'shop'} is made."
    copy = "more/замовлення (2).csv"
    said = {name: lines[lines.index(name) + 1] for name in ("photo.jpg", "letter.txt", "замовлення.csv", copy)}
    assert said["photo.jpg"].startswith("not read: ")
    assert said["letter.txt"].startswith("not read: ")
    assert said["замовлення.csv"].startswith("orders: 60 records; 7 columns mapped")
    assert said[copy] == "not read: the same bytes as замовлення.csv"
    assert "2. cxkit check shop" in lines
    # what is left is told by its line, and filled in the client passes
    text = (home / "client.yml").read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        if ": ???" in line:
            assert f"line {number}: " in told
    (home / "client.yml").write_text(text.replace(": ???", ": completed"), encoding="utf-8")
    checked = run.check_client(home / "client.yml", notebooks_dir=empty(tmp_path))
    assert "orders: 60 rows in, 60 kept, 0 refused" in checked
    assert "no sheets of the workshop" in checked


def empty(folder):
    """A folder with one notebook, so that a check has nothing to say of it."""
    from make_notebooks import notebook

    notebook(folder / "books", "00_first")
    return folder / "books"


def test_no_personal_value_reaches_client_yml_or_the_screen(sent, tmp_path):
    told = new_client.new_client("shop", [sent])
    text = (tmp_path / "data" / "shop" / "client.yml").read_text(encoding="utf-8")
    for personal in ("poczta.pl", "+38067", "jan1"):
        assert personal not in told + text


def test_without_files_the_lines_are_to_be_filled_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = new_client.new_client("shop")
    assert "tables.orders.path" in told
    with pytest.raises(UsageError, match="still to be filled in"):
        load_client(tmp_path / "data" / "shop")


def test_the_key_is_private_and_the_templates_are_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    new_client.new_client("shop")
    home = tmp_path / "data" / "shop"
    assert stat.S_IMODE((home / "private").stat().st_mode) == 0o700
    assert len((home / "private" / "key").read_text(encoding="ascii").strip()) == 64
    assert (home / "workshop" / "templates" / "swot.xlsx").is_file()
    assert (home / "workshop" / "READ_ME.txt").is_file()


def test_an_existing_client_is_never_touched(sent, tmp_path):
    home = tmp_path / "data" / "shop"
    home.mkdir(parents=True)
    (home / "client.yml").write_text("client: mine\n", encoding="utf-8")
    with pytest.raises(UsageError) as told:
        new_client.new_client("shop", [sent])
    assert str(told.value).startswith(f"{Path('data/shop')} is a client already; nothing in it is changed. Put further")
    assert [p.name for p in home.iterdir()] == ["client.yml"]
    assert [p.name for p in home.parent.iterdir()] == ["shop"]


def test_a_folder_of_that_name_that_is_no_client_is_not_touched_either(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "shop").mkdir(parents=True)
    (tmp_path / "data" / "shop" / "orders.csv").write_text("a\n", encoding="utf-8")
    with pytest.raises(UsageError, match="is there already and is not empty"):
        new_client.new_client("shop")
    (tmp_path / "data" / "shop" / "orders.csv").unlink()
    assert new_client.new_client("shop").startswith(f"{Path('data/shop')} is made.")


def test_audits_whose_key_is_gone_are_not_given_a_new_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports" / "shop" / "runs" / "2026-06-30-1").mkdir(parents=True)
    (tmp_path / "reports" / "shop" / "runs" / "2026-06-30-1" / "run.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="made with a key that is gone"):
        new_client.new_client("shop")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../up", "-x", ".hidden", "a\nb", "x" * 80, "ends ", "a:b", "~"]
)
def test_a_name_that_is_no_folder_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="cannot name a client's folder"):
        new_client.new_client(name)
    assert not list(tmp_path.iterdir())


def test_all_faults_of_the_command_are_told_together(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as told:
        new_client.new_client("a/b", currency="грн", time_zone="Kyiv")
    assert str(told.value).splitlines() == [
        "'a/b' cannot name a client's folder: letters, digits, blanks, _ . and - are valid, as in"
        " `cxkit new toy-shop exports/`.",
        "  --currency 'грн' is no currency's code (ISO 4217); write three capitals, as UAH, EUR or PLN.",
        "  --time-zone: the time zone 'Kyiv' is unknown; write one as Europe/Kyiv or Europe/Warsaw.",
    ]


def test_files_that_are_not_there_are_told_together(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hollow").mkdir()
    with pytest.raises(UsageError) as told:
        new_client.new_client("shop", [Path("a.csv"), Path("hollow"), Path("b.csv")])
    assert str(told.value).splitlines() == [
        "there is no file a.csv.",
        "  the folder hollow holds no files.",
        "  there is no file b.csv.",
    ]
    assert not (tmp_path / "data").exists()


def test_nothing_is_left_when_it_ends_midway(sent, tmp_path, monkeypatch):
    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(inspect_file, "look", interrupted)
    with pytest.raises(KeyboardInterrupt):
        new_client.new_client("shop", [sent])
    assert not list((tmp_path / "data").iterdir())


def test_files_of_one_name_both_have_a_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder, text in {"a": "x\n1\n", "b": "x\n2\n"}.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "orders.csv.gz").write_text(text, encoding="utf-8")
    new_client.new_client("shop", [Path("a"), Path("b/orders.csv.gz")])
    exports = tmp_path / "data" / "shop" / "exports"
    assert (exports / "orders.csv.gz").read_text(encoding="utf-8") == "x\n1\n"
    assert (exports / "orders (2).csv.gz").read_text(encoding="utf-8") == "x\n2\n"


@pytest.mark.skipif(os.name == "nt", reason="such names are not to be had there")
def test_names_that_client_yml_cannot_hold_are_mended(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sent").mkdir()
    (tmp_path / "sent" / "${HOME}\n:x.csv").write_text("x\n1\n", encoding="utf-8")
    new_client.new_client("shop", [Path("sent")])
    assert [p.name for p in (tmp_path / "data" / "shop" / "exports").iterdir()] == ["_{HOME}__x.csv"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_in_a_folder_are_not_followed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.csv").write_text("x\n1\n", encoding="utf-8")
    (tmp_path / "sent").mkdir()
    (tmp_path / "sent" / "orders.csv").symlink_to(tmp_path / "secret.csv")
    (tmp_path / "sent" / "a.csv").write_text("x\n1\n", encoding="utf-8")
    told = new_client.new_client("shop", [Path("sent")])
    assert [p.name for p in (tmp_path / "data" / "shop" / "exports").iterdir()] == ["a.csv"]
    assert "  orders.csv\n      not read: a link, which is not followed; give the file itself" in told


def test_what_was_given_goes_before_what_was_found(sent, tmp_path):
    new_client.new_client("shop", [sent], currency="PLN")
    assert "currency: PLN" in (tmp_path / "data" / "shop" / "client.yml").read_text(encoding="utf-8")


def test_worksheets_are_each_looked_at(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    orders = {
        "Order number": [f"A{i}" for i in range(30)],
        "Customer ID": [f"c{i % 9}" for i in range(30)],
        "Order date": [f"2026-03-{i % 28 + 1:02d} 10:00:00" for i in range(30)],
        "Total": [10.5 + i for i in range(30)],
    }
    goods = {
        "SKU": [f"S{i}" for i in range(12)],
        "Product name": [f"Toy {i}" for i in range(12)],
        "Category": ["a", "b"] * 6,
        "Price": [9.9 + i for i in range(12)],
    }
    with pd.ExcelWriter(tmp_path / "book.xlsx", engine="xlsxwriter") as book:
        pd.DataFrame(orders).to_excel(book, sheet_name="Orders", index=False)
        pd.DataFrame(goods).to_excel(book, sheet_name="Goods", index=False)
    new_client.new_client("shop", [Path("book.xlsx")], currency="EUR", time_zone="Europe/Warsaw")
    tables = read_yaml(tmp_path / "data" / "shop" / "client.yml", begins="client:")["tables"]
    assert {name: settings.get("sheet") for name, settings in tables.items()}["catalogue"] == "Goods"
    loaded = sources.load(load_client(tmp_path / "data" / "shop"))
    assert {name: account["kept"] for name, account in loaded.accounts.items()} == {"orders": 30, "catalogue": 12}


def test_one_file_may_feed_two_tables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    header = "action_name,query_id,client_id,timestamp,user_query,query_response_id\n"
    rows = [
        f"{'click' if i % 2 else ''},q{i},c{i % 3},2024-12-10T00:01:0{i}Z,{'' if i % 2 else 'cup'},r{i}"
        for i in range(8)
    ]
    Path("ubi.csv").write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    told = " ".join(new_client.new_client("shop", [Path("ubi.csv")], currency="UAH", time_zone="Europe/Kyiv").split())
    assert "ubi.csv events: 8 records; 4 columns mapped; preset ubi_events searches: 8 records; 4 columns" in told
    data = read_yaml(tmp_path / "data/shop/client.yml", begins="client:")
    assert {name: table["path"] for name, table in data["tables"].items()} == dict.fromkeys(
        ("events", "searches"), "exports/ubi.csv"
    )


def test_a_client_of_ours_is_no_export(sent, tmp_path):
    new_client.new_client("shop", [sent], currency="UAH")
    for given in (Path("data"), Path("data/shop"), Path("data/shop/private")):
        with pytest.raises(UsageError) as error:
            new_client.new_client("other", [given])
        assert str(error.value) == (
            f"the folder {Path('data') / 'shop'} is a client of cxkit's own, with its settings and its key; give the"
            f" files that the client sent, as {Path('data') / 'shop' / 'exports'}."
        )
    new_client.new_client("other", [Path("data/shop/exports")])
    assert not (tmp_path / "data" / "other" / "exports" / "private").exists()


def test_a_full_disk_is_told_of_the_target(sent, tmp_path, monkeypatch):
    def full(source, *_):
        raise OSError(errno.ENOSPC, "No space left on device", str(source))

    message = "could not be made: No space left on device. Nothing of it is left; mend that and start again."
    for module, name in ((new_client.sheet_templates, "write_templates"), (shutil, "copyfile")):
        monkeypatch.setattr(module, name, full)
        with pytest.raises(RunError) as error:
            new_client.new_client("shop", [sent])
        assert str(error.value) == f"{Path('data') / 'shop'} {message}"
        assert list((tmp_path / "data").iterdir()) == []
        monkeypatch.undo()
        monkeypatch.chdir(tmp_path)


def test_a_full_disk_while_a_file_is_looked_at_is_not_the_files_fault(sent, monkeypatch):
    def full(*_, **__):
        raise RunError("it cannot be written: the disk is full.")

    monkeypatch.setattr(inspect_file, "look", full)
    with pytest.raises(RunError, match="the disk is full"):
        new_client.new_client("shop", [sent])


@pytest.mark.parametrize("name", ["con", "NUL", "com1", "aux.txt"])
def test_names_that_windows_keeps(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="cannot name a client's folder: Windows keeps that name for a device"):
        new_client.new_client(name)


def test_file_names_hold_no_e_mail_and_no_phone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["orders olena.koval@gmail.com.csv.gz", "orders +380 67 123 45 67.csv", "orders_20260101_20260630.csv"]
    for n, name in enumerate(names):
        Path(name).write_bytes(b"x" * n)
    told = new_client.new_client("shop", [Path(name) for name in names])
    kept = sorted(os.listdir("data/shop/exports"))
    assert kept == ["orders personal.csv", "orders personal.csv.gz", "orders_20260101_20260630.csv"]
    assert "gmail" not in told
    assert "380" not in told
