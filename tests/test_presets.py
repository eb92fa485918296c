"""Every preset: well written, found by its header, and read through the door to the rows that a person would expect."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import yaml
from real_clients import online_retail, shared_data

from cxkit import exports, inspect_file, presets, sources
from cxkit.client import load_client
from cxkit.errors import UsageError
from cxkit.mapping import Export, Reading
from cxkit.presets import Match, load_presets, matches, settings_for
from cxkit.tables import TABLES

FIXTURES = Path(__file__).parent / "preset_fixtures"
PRESETS = load_presets()
ZONES = {
    "woocommerce": "Europe/Warsaw",
    "prestashop": "Europe/Warsaw",
    "olist": "America/Sao_Paulo",
    "uci_online_retail": "Europe/London",
}
CURRENCIES = {"woocommerce": "PLN", "prestashop": "PLN", "olist": "BRL", "uci_online_retail": "GBP"}
OPEN = {  # what a client's own words decide and no preset can know
    "surveymonkey_condensed": {
        "questions": {
            "How likely is it that you would recommend us? Response": {"metric": "nps"},
            "How satisfied are you with delivery? Response": {
                "metric": "csat",
                "touchpoint": "delivery",
                "comment": "How satisfied are you with delivery? Open-Ended Response",
            },
        }
    },
    "typeform": {
        "questions": {
            "How likely are you to recommend us?": {"metric": "nps", "comment": "What should we do better?"},
        }
    },
    "qualtrics": {"questions": {"Q1": {"metric": "nps", "comment": "Q2"}}},
}


def fixture(name: str) -> Path:
    return next(FIXTURES.glob(f"{name}.*"))


def columns_of(path: Path, settings: dict) -> list[str]:
    reading = {key: settings[key] for key in Reading.model_fields if key in settings}
    return exports.header(path, place="a preset", reading=Reading.model_validate(reading))


def through_the_door(folder: Path, files: dict[str, Path], own: dict | None = None, **more: object) -> sources.Loaded:
    """The files (preset -> path), read by what their presets say, and by nothing else but a survey's questions."""
    there = {name: (path.name, columns_of(path, PRESETS[name].settings)) for name, path in files.items()}
    tables, scales, persons = {}, {"nps": [0, 10], "csat": [1, 5]}, {}
    for name, path in files.items():
        (folder / path.name).write_bytes(path.read_bytes())
        found = [m for m in matches(there[name][1]) if m.preset.name == name]
        assert found, f"{path} does not match its preset {name}"
        if PRESETS[name].table:
            settings = settings_for(found[0], there[name][1], files=there)
            persons |= settings.pop("persons", {})
            scales |= PRESETS[name].scales
            asked = {"questions": own} if own else OPEN.get(name, {})
            tables[PRESETS[name].table] = {"path": path.name, "max_refused_share": 0.2, **settings, **asked}
    client = {"client": "Test", "currency": "UAH", "time_zone": "Europe/Kyiv", "as_of": "2026-06-30"}
    client |= {"scales": scales, "tables": tables, **({"persons": persons} if persons else {})}
    (folder / "client.yml").write_text(yaml.safe_dump({**client, **more}, allow_unicode=True), encoding="utf-8")
    return sources.load(load_client(folder))


def family(folder: Path, *names: str) -> tuple[sources.Loaded, dict[str, pd.DataFrame]]:
    """The fixtures of these presets as one client: what was loaded, and its tables with customers as A, B, …"""
    of = names[0].split("_")[0] if names[0] not in ZONES else names[0]
    zone, currency = ZONES.get(of, "Europe/Kyiv"), CURRENCIES.get(of, "UAH")
    loaded = through_the_door(folder, {n: fixture(n) for n in names}, time_zone=zone, currency=currency)
    for account in loaded.accounts.values():
        assert account["rows_in"] == account["kept"] + sum(account["refused"].values())
    tables = {name: pd.read_parquet(path) for name, path in loaded.tables.items()}
    order = [name for name in ("orders", "events", "contacts", "surveys", *TABLES) if name in tables]
    ids = [p for t in dict.fromkeys(order) if "customer_id" in tables[t] for p in tables[t].customer_id.dropna()]
    letters = {pseudonym: chr(65 + i) for i, pseudonym in enumerate(dict.fromkeys(ids))}
    return loaded, {n: t.assign(**_lettered(t, letters)) for n, t in tables.items()}


def _lettered(table: pd.DataFrame, letters: dict[str, str]) -> dict:
    return {"customer_id": table.customer_id.map(letters)} if "customer_id" in table else {}


def plain(table: pd.DataFrame, *columns: str) -> list[tuple]:
    """The rows as tuples: times to the second, missing values as None."""
    times = {c: table[c].dt.strftime("%Y-%m-%d %H:%M:%S") for c in columns if "datetime" in str(table[c].dtype)}
    shown = table.assign(**times)[list(columns)].astype(object)
    return list(shown.where(shown.notna(), None).itertuples(index=False, name=None))


# --- the files themselves


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_names_its_source_and_its_quirks_and_has_a_fixture(name):
    preset = PRESETS[name]
    assert len(preset.source) > 40
    assert any(mark in preset.source for mark in ("CXKIT_DATA/", "https://", ", "))
    assert preset.quirks
    assert all(quirk[0].isupper() and quirk.endswith(".") for quirk in preset.quirks)
    assert len(list(FIXTURES.glob(f"{name}.*"))) == 1


def test_no_fixture_stands_without_a_preset():
    assert {path.stem for path in FIXTURES.iterdir()} == set(PRESETS)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_fixture_matches_its_own_preset_first(name):
    path = fixture(name)
    found = matches(columns_of(path, PRESETS[name].settings))
    assert next(m.preset.name for m in found if m.preset.table == PRESETS[name].table) == name
    assert 0 < found[0].found <= found[0].of


@pytest.mark.parametrize("name", sorted(n for n, p in PRESETS.items() if p.table))
def test_what_a_system_always_sends_leaves_nothing_in_doubt(name):
    for proposal in (p for p in inspect_file.look(fixture(name)) if p.preset == name):
        before = settings_for(proposal.match, list(proposal.form.names))["columns"]
        asked = set(proposal.settings["columns"]) - set(before)
        assert not asked
        assert "LOOK" not in " ".join(proposal.evidence.values())


def test_a_header_that_lacks_one_column_of_the_signature_matches_nothing():
    names = ["InvoiceNo", "StockCode", "Quantity", "UnitPrice", "Anything"]
    assert [m.preset.name for m in matches(names)] == ["uci_online_retail"]
    for lacking in names[:4]:
        assert matches([n for n in names if n != lacking]) == []


def test_order_of_the_columns_makes_no_difference():
    names = columns_of(fixture("shopify_orders"), {})
    assert matches(names) == matches(sorted(names)) == matches(names[::-1])
    assert settings_for(matches(names)[0], names) == settings_for(matches(names)[0], names[::-1])


def test_of_alternatives_the_first_that_is_there_is_taken_and_what_lacks_is_left_out():
    names = ["Name", "Email", "Created at", "Currency", "Total", "Lineitem name", "Lineitem quantity"]
    settings = settings_for(Match(PRESETS["shopify_orders"], 0, 0), names)
    assert settings["columns"] == {
        "order_id": "Name",
        "customer_id": "Email",
        "ordered_at": "Created at",
        "amount": {"share": "Total", "by": ["Lineitem quantity"]},
        "quantity": "Lineitem quantity",
        "product": "Lineitem name",
    }
    assert settings["currency_column"] == "Currency"
    assert settings["once_per_order"] == ["customer_id", "ordered_at"]
    assert "values" not in settings


def test_joins_name_presets_until_the_folder_is_known_and_files_then():
    names = columns_of(fixture("olist_order_items"), {})
    match = matches(names)[0]
    early = settings_for(match, names)
    assert [part["preset"] for part in early["join"]] == [
        "olist_orders",
        "olist_products",
        "olist_category_names",
        "olist_order_payments",
    ]
    assert early["columns"]["category"] == "product_category_name_english"
    there = {n: (f"{n}.csv", columns_of(fixture(n), {})) for n in ("olist_orders", "olist_products")}
    late = settings_for(match, names, files=there)
    assert late["join"] == [
        {"path": "olist_orders.csv", "on": "order_id"},
        {"path": "olist_products.csv", "on": "product_id"},
    ]
    assert late["columns"]["category"] == "product_category_name"
    assert "payment" not in late["columns"]
    alone = settings_for(match, names, files={})
    assert "join" not in alone
    assert "ordered_at" not in alone["columns"]
    assert "values" not in alone


def test_persons_are_named_by_preset_and_by_path():
    names = columns_of(fixture("olist_customers"), {})
    match = matches(names)[0]
    assert settings_for(match, names)["persons"]["preset"] == "olist_customers"
    assert settings_for(match, names, files={"olist_customers": ("c.csv", names)})["persons"] == {
        "path": "c.csv",
        "id": "customer_id",
        "person": "customer_unique_id",
    }
    assert "persons" not in settings_for(match, names, files={})


def test_what_a_caller_does_to_settings_does_not_reach_the_preset():
    names = columns_of(fixture("shopify_orders"), {})
    settings_for(matches(names)[0], names)["values"]["status"].clear()
    assert settings_for(matches(names)[0], names)["values"]["status"]["paid"] == "completed"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: other\nsource: s\nsignature: [A]\ntable: null\n", "name is 'other' and the file's 'bad'"),
        ("name: bad\nsignature: [A]\ntable: null\n", "source is missing"),
        ("name: bad\nsource: s\nsignature: [A]\ntable: sales\n", "unknown table 'sales'"),
        ("name: bad\nsource: s\nsignature: [A]\ntable: null\nhints: []\n", "unknown key 'hints'"),
        ("name: bad\nsource: s\nsignature: A\ntable: null\n", "signature is to be a list of texts"),
        (
            "name: bad\nsource: s\nsignature: [A]\ntable: orders\nsettings: {columns: {total: A}}\n",
            "columns.total: orders has no such column",
        ),
        (
            "name: bad\nsource: s\nsignature: [A]\ntable: orders\n"
            "settings: {columns: {status: A}, values: {status: {Paid: done}}}\n",
            "values.status: 'done' is not valid",
        ),
        (
            "name: bad\nsource: s\nsignature: [A]\ntable: orders\n"
            "settings: {columns: {order_id: A}, join: [{preset: nowhere, on: A}]}\n",
            "there is no preset 'nowhere'",
        ),
        (
            "name: bad\nsource: s\nsignature: [A]\ntable: orders\nsettings: {columns: {order_id: [A, {times: [B]}]}}\n",
            "columns.order_id",
        ),
    ],
)
def test_a_wrong_preset_is_told_with_its_file(tmp_path, monkeypatch, text, told):
    (tmp_path / "bad.yml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(presets, "PRESETS", tmp_path)
    with pytest.raises(UsageError) as error:
        load_presets()
    assert told in str(error.value)
    assert "bad.yml" in str(error.value)


# --- through the door


def test_shopify_orders_and_customers(tmp_path):
    _, tables = family(tmp_path, "shopify_orders", "shopify_customers")
    assert plain(tables["orders"], "order_id", "customer_id", "ordered_at", "amount", "quantity", "product_id") == [
        ("#1001", "A", "2024-03-01 08:00:00", 180.0, 2.0, "BL-1"),  # 270 after a discount of 30, shared 2 : 1
        ("#1001", "A", "2024-03-01 08:00:00", 90.0, 1.0, "CU-1"),
        ("#1002", "B", "2024-03-01 22:30:00", 100.0, 4.0, "SP-1"),
        ("#1003", None, "2024-03-03 10:00:00", 60.0, 1.0, None),
        ("#1004", "A", "2024-03-04 10:00:00", 25.0, 1.0, "SP-1"),
    ]
    assert plain(tables["orders"], "status", "refund", "discount", "coupon", "channel", "payment", "delivery") == [
        ("completed", 0.0, 20.0, "SPRING", "web", "Card", "Post"),
        ("completed", 0.0, 10.0, "SPRING", "web", "Card", "Post"),
        ("partly_returned", 40.0, 0.0, None, "web", "Cash on delivery", "Courier"),
        ("completed", 0.0, 0.0, None, "pos", "Cash", None),
        ("cancelled", 0.0, 0.0, None, "web", "Card", None),
    ]
    assert plain(tables["customers"], "customer_id", "city", "country", "email_consent", "groups") == [
        ("A", "Lviv", "UA", True, "regular"),
        ("B", "Kyiv", "UA", False, None),
        ("C", None, None, False, None),  # no e-mail: the id is what is left
    ]


def test_uci_online_retail(tmp_path):
    loaded, tables = family(tmp_path, "uci_online_retail")
    assert plain(tables["orders"], "order_id", "customer_id", "amount", "quantity", "status", "refund") == [
        ("700001", "A", 15.0, 6.0, "partly_returned", 5.0),
        ("700002", None, 12.0, 4.0, "completed", 0.0),
    ]
    assert sum(loaded.accounts["orders"]["refused"].values()) == 1  # postage


def test_olist(tmp_path):
    names = [name for name in PRESETS if name.startswith("olist_")]
    loaded, tables = family(tmp_path, *sorted(names))
    assert len(names) == 9
    assert plain(tables["orders"], "order_id", "customer_id", "ordered_at", "amount", "status", "category") == [
        ("o1", "A", "2018-01-10 12:00:00", 20.5, "completed", "toys"),
        ("o1", "A", "2018-01-10 12:00:00", 20.5, "completed", "toys"),
        ("o2", "B", "2018-02-01 14:00:00", 99.0, "cancelled", None),
        ("o3", "A", "2018-03-05 11:30:00", 99.0, "completed", None),
    ]
    assert plain(tables["orders"], "payment", "delivered_at", "promised_at", "quantity")[2:] == [
        ("boleto", None, "2018-02-20 03:00:00", 1.0),  # summer time has ended
        ("voucher", None, "2018-03-25 03:00:00", 1.0),
    ]
    assert plain(tables["customers"], "customer_id", "city") == [("A", "sao paulo"), ("B", "rio de janeiro")]
    assert loaded.accounts["customers"]["merged"] == {"ids": 3, "persons": 2}
    assert plain(tables["catalogue"], "product_id", "category") == [("p1", "toys"), ("p2", None)]
    assert plain(tables["reviews"], "written_at", "rating", "text", "customer_id") == [
        ("2018-01-17 12:00:00", 5.0, "Chegou antes do prazo.", "A"),
        ("2018-03-27 23:15:00", 2.0, None, "A"),
    ]


def test_zendesk_view(tmp_path):
    _, tables = family(tmp_path, "zendesk_view")
    columns = ("contact_id", "customer_id", "opened_at", "first_answer_at", "solved_at", "satisfaction", "channel")
    assert plain(tables["contacts"], *columns) == [
        ("81", "A", "2024-03-05 07:00:00", "2024-03-05 07:45:00", "2024-03-05 13:00:00", 1.0, "Mail"),
        ("82", "B", "2024-03-06 08:30:00", "2024-03-06 11:00:00", "2024-03-07 08:30:00", 0.0, "Web form"),
        ("83", "A", "2024-03-07 09:00:00", None, None, None, "Chat"),
    ]


def test_surveymonkey_condensed(tmp_path):
    _, tables = family(tmp_path, "surveymonkey_condensed")
    rows = plain(tables["surveys"], "answered_at", "metric", "score", "customer_id", "survey_id", "touchpoint")
    assert sorted(rows, key=str) == [
        ("2024-04-01 07:03:00", "csat", 4.0, "A", "C1", "delivery"),
        ("2024-04-01 07:03:00", "nps", 9.0, "A", "C1", None),
        ("2024-04-02 08:05:00", "csat", 2.0, "B", "C1", "delivery"),
        ("2024-04-02 08:05:00", "nps", 3.0, "B", "C1", None),
        ("2024-04-03 09:01:00", "nps", 10.0, None, "C2", None),
    ]


def test_typeform(tmp_path):
    _, tables = family(tmp_path, "typeform")
    assert plain(tables["surveys"], "answered_at", "answered_on", "metric", "score", "comment") == [
        ("2024-05-01 07:02:00", date(2024, 5, 1), "nps", 10.0, "Nothing"),
        ("2024-05-02 21:00:00", date(2024, 5, 3), "nps", 6.0, "Faster delivery"),  # midnight in Kyiv
    ]


def test_qualtrics(tmp_path):
    loaded, tables = family(tmp_path, "qualtrics")
    assert plain(tables["surveys"], "answered_at", "metric", "score", "customer_id", "comment") == [
        ("2024-06-01 06:02:01", "nps", 9.0, "A", "Quick"),
        ("2024-06-02 06:04:01", "nps", 4.0, "B", "Slow"),
    ]
    assert loaded.accounts["surveys"]["refused"] == {"left out by keep_only (ResponseId)": 2}


def test_klaviyo_profiles(tmp_path):
    _, tables = family(tmp_path, "klaviyo_profiles")
    columns = ("customer_id", "joined_at", "country", "city", "email_consent", "acquisition_channel")
    assert plain(tables["customers"], *columns) == [
        ("A", "2024-01-05 08:00:00", "Ukraine", "Lviv", True, "Popup"),
        ("B", "2024-02-05 09:30:00", "Poland", None, False, "Checkout"),
        ("C", "2024-02-06 09:30:00", "Poland", None, False, None),
    ]


def test_woocommerce_items_and_customers(tmp_path):
    _, tables = family(tmp_path, "woocommerce_order_items", "woocommerce_customers")
    columns = ("order_id", "customer_id", "ordered_at", "amount", "discount", "product_id", "status", "refund")
    assert plain(tables["orders"], *columns) == [
        ("11", "A", "2024-03-01 09:00:00", 54.0, 6.0, "KU-1", "completed", 0.0),
        ("11", "A", "2024-03-01 09:00:00", 36.0, 4.0, "KO-1", "completed", 12.0),
        ("12", "B", "2024-03-02 17:30:00", 30.0, 0.0, "KU-1", "cancelled", 0.0),
    ]
    assert plain(tables["customers"], "customer_id", "city", "country") == [
        ("A", "Gdańsk", "PL"),
        ("B", "Kraków", "PL"),
    ]


def test_woocommerce_orders(tmp_path):
    _, tables = family(tmp_path, "woocommerce_orders")
    assert plain(tables["orders"], "order_id", "customer_id", "amount", "status", "refund") == [
        ("21", "A", 80.0, "completed", 0.0),
        ("22", "A", 30.0, "returned", 30.0),
        ("23", None, 30.0, "cancelled", 0.0),
    ]


def test_woocommerce_analytics_orders(tmp_path):
    _, tables = family(tmp_path, "woocommerce_analytics_orders")
    assert plain(tables["orders"], "order_id", "ordered_at", "amount", "quantity", "status", "refund", "coupon") == [
        ("31", "2024-03-01 09:00:00", 90.0, 3.0, "completed", 0.0, "WIOSNA"),
        ("32", "2024-03-02 10:00:00", 30.0, 1.0, "completed", 0.0, None),
        ("33", "2024-03-03 11:00:00", 30.0, 1.0, "returned", 30.0, None),
    ]
    assert "customer_id" not in tables["orders"]


def test_prestashop_orders(tmp_path):
    _, tables = family(tmp_path, "prestashop_orders")
    assert plain(tables["orders"], "order_id", "ordered_at", "amount", "status", "refund", "payment") == [
        ("MADEUPAAA", "2024-03-01 09:00:00", 79.9, "completed", 0.0, "Bank transfer"),
        ("MADEUPBBB", "2024-03-02 10:00:00", 35.0, "cancelled", 0.0, "Cash on delivery"),
        ("MADEUPCCC", "2024-03-03 11:00:00", 20.0, "returned", 20.0, "Bank transfer"),
    ]


def test_magento_orders(tmp_path):
    _, tables = family(tmp_path, "magento_orders")
    assert plain(tables["orders"], "order_id", "customer_id", "amount", "status", "refund", "channel") == [
        ("000000001", "A", 100.0, "completed", 0.0, "Main Website"),
        ("000000002", "A", 50.0, "returned", 50.0, "Main Website"),
        ("000000003", "B", 30.0, "cancelled", 0.0, "Outlet"),
    ]


def test_ga4_events(tmp_path):
    _, tables = family(tmp_path, "ga4_events")
    columns = ("session_id", "customer_id", "occurred_at", "touchpoint", "device", "source", "order_id")
    assert plain(tables["events"], *columns) == [
        ("1709280000", "A", "2024-03-01 08:00:00", "page_view", "mobile", "newsletter", None),
        ("1709280000", "A", "2024-03-01 08:01:00", "add_to_cart", "mobile", "newsletter", None),
        ("1709280000", "A", "2024-03-01 08:02:00", "purchase", "mobile", "newsletter", "#1001"),
        ("1709280000", "B", "2024-03-01 08:00:00", "page_view", "mobile", "newsletter", None),
    ]


def test_ubi_queries_and_events_in_one_file(tmp_path):
    loaded, tables = family(tmp_path, "ubi_events", "ubi_queries")
    assert plain(tables["events"], "session_id", "customer_id", "occurred_at", "touchpoint", "query_id") == [
        ("s1", "A", "2024-12-10 00:01:40", "click", "q1"),
        (None, "A", "2024-12-10 00:02:00", "add_to_cart", "q1"),
    ]
    assert plain(tables["searches"], "customer_id", "searched_at", "query", "query_id") == [
        ("A", "2024-12-10 00:01:29", "blue cups", "q1"),
        ("B", "2024-12-10 00:01:40", "blankets", "q2"),
    ]
    assert loaded.accounts["events"]["rows_in"] == loaded.accounts["searches"]["rows_in"] == 8


# --- over the shared data (read through `new` in test_real_exports)

VENDORS = "vendor_formats"
HEADERS = {  # files of which only the header is there, or that a preset knows and no table needs
    "shopify_orders": f"{VENDORS}/shopify_orders_export_HEADER_ONLY.csv",
    "klaviyo_profiles": f"{VENDORS}/klaviyo_list_export_HEADER_ONLY.csv",
    "zendesk_view": f"{VENDORS}/zendesk_view_export_HEADER_ONLY.csv",
    "olist_sellers": "olist_sample/olist_sellers_dataset.csv",
    "olist_geolocation": "olist_sample/olist_geolocation_dataset.csv",
}


@pytest.mark.parametrize("name", HEADERS)
def test_the_shared_headers_are_known_whole(name):
    path = shared_data() / HEADERS[name]
    found = matches(columns_of(path, PRESETS[name].settings))
    assert [m.preset.name for m in found] == [name]
    assert found[0].found == found[0].of


def test_the_shared_uci_file_is_read_as_its_committed_client_yml_says(tmp_path):
    """So what other tests find over its half a million lines holds for the preset."""
    theirs = online_retail(tmp_path).tables["orders"].model_dump(exclude={"path"})
    names = columns_of(shared_data() / "uci_online_retail/online_retail.csv.gz", {})
    ours = {"path": "x", **settings_for(matches(names)[0], names)}
    assert Export.model_validate(ours).model_dump(exclude={"path"}) == theirs
