"""Every file of the shared data: what it is found to be, what it feeds or why not, and the figures that follow."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from real_clients import shared_data

from cxkit import inspect_file, new_client, sources
from cxkit.client import load_client
from cxkit.errors import DataError
from cxkit.proposal import Proposal, combine

NOTHING = "No trial run: nothing says which table the file feeds."
EMPTY = "No trial run: the file holds no records."
BAD, VENDORS, OLIST = "bad_csv_frictionless", "vendor_formats", "olist_sample"

# encoding, delimiter, header row, records, what it feeds, what the trial run says
EXPECTED = {
    f"{BAD}/bad.csv": ("utf-8", ",", "1", 1, "", NOTHING),
    f"{BAD}/blank-cells.csv": ("utf-8", ",", "1", 5, "", NOTHING),
    f"{BAD}/blank-headers.csv": ("utf-8", ",", "1", 2, "", NOTHING),
    f"{BAD}/blank-rows-multiple.csv": ("utf-8", ",", "1", 2, "", NOTHING),
    f"{BAD}/blank-rows.csv": ("utf-8", ",", "1", 2, "", NOTHING),
    f"{BAD}/bom.csv": ("utf-8", ",", "1", 2, "", NOTHING),
    f"{BAD}/capital-invalid.csv": ("utf-8", ",", "1", 10, "", NOTHING),
    f"{BAD}/delimiter.csv": ("utf-8", ";", "1", 2, "", NOTHING),
    f"{BAD}/doublequote.csv": ("utf-8", ",", "1", 5, "", NOTHING),
    f"{BAD}/duplicate-headers.csv": ("utf-8", ",", "1", 2, "", NOTHING),
    f"{BAD}/duplicate-rows.csv": ("utf-8", ",", "1", 3, "", NOTHING),
    f"{BAD}/encoding-issue-274.csv": ("utf-8", ",", "1", 507, "", NOTHING),
    f"{BAD}/invalid.csv": ("utf-8", ",", "1", 3, "", NOTHING),
    f"{BAD}/issue-1009-semicolon.csv": ("utf-8", ";", "1", 1, "", NOTHING),
    f"{BAD}/latin1.csv": ("cp1252", ",", "1", 2, "", NOTHING),
    f"{BAD}/multiline-headers.xlsx": (None, None, "1, 2, 3", 1, "", NOTHING),
    f"{BAD}/skip-rows-before-headers.csv": ("utf-8", ",", "2", 2, "", NOTHING),
    f"{BAD}/table-unicode-headers.csv": ("utf-8", ",", "1", 2, "", NOTHING),
    f"{BAD}/without-headers.csv": ("utf-8", ",", "none", 3, "", NOTHING),
    "chorus_search/Broad_Query_Set_individual_ratings.csv": ("utf-8", ",", "1", 3188, "", NOTHING),
    "chorus_search/Broad_Query_Set_rated.csv": ("utf-8", ",", "1", 3668, "", NOTHING),
    "chorus_search/Broad_Query_Set_unrated.csv": ("utf-8", ",", "1", 3188, "", NOTHING),
    "chorus_ubi/ubi_queries_events.ndjson": (
        None,
        None,
        None,
        7842,
        "events searches",
        "As searches: Trial run: 7,842 records in, 467 kept, 7,375 refused.",
    ),
    "nps_fr/nps.csv": (
        "latin-1",
        ",",
        "1",
        13954,
        "surveys",
        "No trial run before these are told in client.yml: answered_at.",
    ),
    f"{OLIST}/olist_customers_dataset.csv": ("utf-8", ",", "1", 300, "customers", "300 kept, 0 refused."),
    f"{OLIST}/olist_geolocation_dataset.csv": ("utf-8", ",", "1", 150, "", NOTHING),
    f"{OLIST}/olist_order_items_dataset.csv": ("utf-8", ",", "1", 307, "orders", "told in client.yml: ordered_at."),
    f"{OLIST}/olist_order_payments_dataset.csv": ("utf-8", ",", "1", 250, "", NOTHING),
    f"{OLIST}/olist_order_reviews_dataset.csv": ("utf-8", ",", "1", 250, "reviews", "250 kept, 0 refused."),
    f"{OLIST}/olist_orders_dataset.csv": ("utf-8", ",", "1", 250, "", NOTHING),
    f"{OLIST}/olist_products_dataset.csv": ("utf-8", ",", "1", 150, "catalogue", "150 kept, 0 refused."),
    f"{OLIST}/olist_sellers_dataset.csv": ("utf-8", ",", "1", 100, "", NOTHING),
    f"{OLIST}/product_category_name_translation.csv": ("utf-8", ",", "1", 71, "", NOTHING),
    "prepbench_nps/expected_output_01.csv": ("utf-8", ",", "1", 1, "", NOTHING),
    "prepbench_nps/expected_output_02.csv": ("utf-8", ",", "1", 113, "surveys", "questions, date_format."),
    "prepbench_nps/input_01.csv": ("utf-8", ",", "1", 39, "surveys", "told in client.yml: questions, date_format."),
    "prepbench_nps/input_02.csv": ("utf-8", ",", "1", 39, "surveys", "told in client.yml: questions."),
    "retentioneering_ecom/ecom.csv.gz": ("utf-8", ",", "1", 31106, "events", "30 × exact duplicate of an earlier"),
    "rfm_joaolcorreia/rfm-table.csv": ("mac-roman", ",", "1", 793, "", NOTHING),
    "rfm_joaolcorreia/sample-orders.csv": ("mac-roman", ",", "1", 5009, "orders", "5,009 kept, 0 refused."),
    "uci_online_retail/online_retail.csv.gz": ("utf-8", ",", "1", 541909, "orders", "amount (multiply)"),
    f"{VENDORS}/klaviyo_list_export_HEADER_ONLY.csv": ("utf-8", ",", "1", 0, "customers", EMPTY),
    f"{VENDORS}/ltvkit_shopify_orders.csv": ("utf-8", ",", "1", 9, "orders", "8 kept, 1 refused."),
    f"{VENDORS}/ltvkit_shopify_orders_sample.csv": ("utf-8", ",", "1", 249, "orders", "249 kept, 0 refused."),
    f"{VENDORS}/shopify_customers_export_HEADER_PLUS_FAKE_ROWS.csv": ("utf-8", ",", "1", 2, "customers", "2 kept, 0"),
    f"{VENDORS}/shopify_orders_export_HEADER_ONLY.csv": ("utf-8", ",", "1", 0, "orders", EMPTY),
    f"{VENDORS}/surveymonkey_condensed_2row_header_FIXTURE.csv": ("utf-8", ",", "1, 2", 2, "surveys", "4 kept, 0"),
    f"{VENDORS}/typeform_FIXTURE.csv": ("utf-8", ",", "1", 2, "surveys", "2 kept, 0 refused."),
    f"{VENDORS}/zendesk_view_export_HEADER_ONLY.csv": ("utf-8", ",", "1", 0, "contacts", EMPTY),
    "wands_queries/query.csv": (
        "utf-8",
        "tab",
        "1",
        480,
        "searches",
        "No trial run before these are told in client.yml: searched_at, session_id or customer_id.",
    ),
}
ODD = {  # what is wrong with a file is told
    f"{BAD}/blank-headers.csv": "1 of 3 columns has no name; it cannot be mapped.",
    f"{BAD}/blank-rows-multiple.csv": "11 of 13 records are blank in every cell: left out, as empty lines are.",
    f"{BAD}/capital-invalid.csv": "2 of 10 records have more or fewer cells than the header; such are refused.",
    f"{BAD}/duplicate-headers.csv": "These names stand in the header more than once, so they cannot be mapped: 'id'.",
    f"{BAD}/invalid.csv": "3 of 3 records have more or fewer cells than the header; such are refused.",
    f"{BAD}/latin1.csv": "a guess: 1 word with accented letters; cp1252 before iso-8859-2; cp1251 and",
    f"{BAD}/multiline-headers.xlsx": "3 header rows: their cells are joined.",
    f"{BAD}/skip-rows-before-headers.csv": "1 record above the header: left out.",
    f"{BAD}/without-headers.csv": "It has no header row.",
    "nps_fr/nps.csv": "words look like bytes of another encoding, most like cp850; what they say is lost",
    "prepbench_nps/input_01.csv": '"%d/%m/%Y %H:%M:%S" or "%m/%d/%Y %H:%M:%S"? dates, 100 % of 39 filled',
}
NO_EXPORTS = ("README.md", "LICENSE", "LICENSE.md", "DESCRIPTION", "query.md", "ltvkit_LICENSE")
AS_OF = ("as_of: latest", "as_of: 2026-06-30")
LARGE = 100_000  # records: read once, by a client made of them


@pytest.fixture(scope="module", autouse=True)
def looked_at_once():
    """`inspect` and `new` look at the same bytes: what a file is found to be is kept for both."""
    look, seen = inspect_file.look, {}

    def known(path: Path, *, sheet: str | None = None) -> tuple[Proposal, ...]:
        one = (path.name, path.stat().st_size, sheet)
        if one not in seen:
            seen[one] = look(path, sheet=sheet)
        return tuple(replace(p, form=replace(p.form, path=path)) for p in seen[one])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspect_file, "look", known)
        yield


def test_every_file_of_the_shared_data_is_expected():
    root = shared_data()
    files = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and p.name not in NO_EXPORTS}
    assert files == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_what_inspect_says(name, monkeypatch):
    encoding, delimiter, header, records, feeds, outcome = EXPECTED[name]
    if records > LARGE:
        monkeypatch.setattr(inspect_file, "trial", lambda *_: ["Trial run: not here."])
    page = inspect_file.inspect(shared_data() / name)
    assert page.startswith(f"{Path(name).name}: ")
    assert f", {records:,} record{'' if records == 1 else 's'}, " in page.splitlines()[0]
    assert max(map(len, page.splitlines())) <= 100
    assert "@" not in page
    for key, value in {"encoding": encoding, "delimiter": delimiter, "header row": header}.items():
        assert said(page, key)[:1] == ([] if value is None else [value]), key
    assert said(page, "feeds") == (feeds.split() or ["nothing that was recognised"])
    told = " ".join(page.split())
    assert outcome in told
    assert ODD.get(name, "") in told


def said(page: str, key: str) -> list[str]:
    """What a page says of a key, without what it rests on."""
    return [line[14:].split(" (")[0] for line in page.splitlines() if line.startswith(f"{key:<14}")]


@pytest.mark.parametrize("name", NO_EXPORTS)
def test_what_is_no_table_says_so(name):
    path = next(shared_data().rglob(name))
    with pytest.raises(DataError, match=rf"^{path.name}: this format is not read; valid are \.csv"):
        inspect_file.inspect(path)


# --- through `new`, the open lines filled in, and the door


def made(
    folder: Path, files: list[str], *filled_in: tuple[str, str], currency: str = "EUR", zone: str = "UTC"
) -> tuple[str, sources.Loaded, dict[str, pd.DataFrame]]:
    """A client of these files: what `new` said, what was loaded, the tables. filled_in: what is written over what."""
    root = shared_data()
    said = new_client.new_client("shop", [root / f for f in files], currency=currency, time_zone=zone, base=folder)
    path = folder / "shop/client.yml"
    text = path.read_text(encoding="utf-8")
    for before, after in filled_in:
        assert before in text, before
        text = text.replace(before, after, 1)
    assert ": ???" not in text
    path.write_text(text, encoding="utf-8")
    loaded = sources.load(load_client(path))
    for account in loaded.accounts.values():
        assert account["rows_in"] == account["kept"] + sum(account["refused"].values())
    return " ".join(said.split()), loaded, {name: pd.read_parquet(file) for name, file in loaded.tables.items()}


@pytest.fixture(scope="module")
def a_shop_a_survey_and_a_search(tmp_path_factory):
    """RFM sample, French survey and search log as one client."""
    return made(
        tmp_path_factory.mktemp("one"),
        ["rfm_joaolcorreia", "nps_fr", "chorus_ubi"],
        AS_OF,
        ("answered_at: ???", "answered_at: {constant: 2020-01-01}"),  # the file has no dates
        ("nps: ???", "nps: [1, 10]"),
    )


@pytest.fixture(scope="module")
def a_marketplace(tmp_path_factory):
    """Olist, a click-stream and a conference's survey as one client."""
    return made(
        tmp_path_factory.mktemp("two"),
        [OLIST, "retentioneering_ecom", "prepbench_nps/input_02.csv"],
        AS_OF,
        ("metric: ???", "metric: nps"),
        ("metric: ???", "metric: csat"),
        ("metric: ???", "metric: csat"),
        currency="BRL",
        zone="America/Sao_Paulo",
    )


@pytest.fixture(scope="module")
def a_shopify_shop(tmp_path_factory):
    """Shopify's files, a header without rows, the conference's survey with its other times, and rated queries."""
    return made(
        tmp_path_factory.mktemp("three"),
        [
            f"{VENDORS}/ltvkit_shopify_orders_sample.csv",
            f"{VENDORS}/shopify_customers_export_HEADER_PLUS_FAKE_ROWS.csv",
            f"{VENDORS}/zendesk_view_export_HEADER_ONLY.csv",
            "prepbench_nps/input_01.csv",
            "wands_queries",
            "chorus_search",
        ],
        AS_OF,
        ("date_format: ???", 'date_format: "%m/%d/%Y %H:%M:%S"'),
        ("metric: ???", "metric: nps"),
        ("metric: ???", "metric: csat"),
        ("metric: ???", "metric: csat"),
        ("searched_at: ???", "searched_at: {constant: 2020-01-01}"),
        ("session_id: ???", "session_id: query_id"),
        currency="USD",
    )


def test_the_published_rfm_table_follows(a_shop_a_survey_and_a_search):
    """Recency, frequency and money of all 793 customers, as their authors have them."""
    orders = a_shop_a_survey_and_a_search[2]["orders"]
    end = pd.Timestamp("2014-12-31")
    ours = orders.groupby("customer_id").agg(
        recency=("ordered_at", lambda days: (end - days.max()).days),
        frequency=("order_id", "nunique"),
        money=("amount", "sum"),
    )
    published = pd.read_csv(shared_data() / "rfm_joaolcorreia/rfm-table.csv", encoding="mac_roman")
    theirs = published[["recency", "frequency", "monetary_value"]]
    assert len(ours) == len(theirs) == 793
    assert sorted(ours.astype(int).itertuples(index=False, name=None)) == sorted(
        theirs.astype(int).itertuples(index=False, name=None)
    )


def test_the_french_survey(a_shop_a_survey_and_a_search):
    said, loaded, tables = a_shop_a_survey_and_a_search
    raw = pd.read_csv(shared_data() / "nps_fr/nps.csv", encoding="latin-1")
    surveys, account = tables["surveys"], loaded.accounts["surveys"]
    assert "surveys: 13,954 records; 0 columns mapped; 2 questions" in said
    assert account["rows_in"] == 2 * 13_954
    assert sum(account["refused"].values()) == raw.nps.isna().sum() + raw.satisfaction.isna().sum() == 342 + 61
    nps = surveys[surveys.metric == "nps"].score
    assert (len(nps), nps.min(), nps.max()) == (13_612, 1, 10)
    assert nps.value_counts().to_dict() == raw.nps.value_counts().to_dict()


def test_one_file_feeds_events_and_searches(a_shop_a_survey_and_a_search):
    said, loaded, tables = a_shop_a_survey_and_a_search
    assert "events: 7,842 records; 6 columns mapped; preset ubi_events" in said
    assert "searches: 7,842 records; 4 columns mapped; preset ubi_queries" in said
    assert len(tables["events"]) == 3_448
    assert len(tables["searches"]) == 467
    assert loaded.accounts["searches"]["refused"]["query missing"] == 6  # of 473


def test_the_files_that_feed_nothing_say_why(a_shop_a_survey_and_a_search, a_marketplace, a_shopify_shop):
    assert "rfm-table.csv not read: nothing says which table it feeds" in a_shop_a_survey_and_a_search[0]
    assert "olist_sellers_dataset.csv not read: preset olist_sellers: no table needs it" in a_marketplace[0]
    assert "olist_orders_dataset.csv 250 records; stands beside another table's records" in a_marketplace[0]
    nearest = "nothing says which table it feeds (nearest: surveys, but too little of it is here)"
    for name in ("rated", "unrated"):  # ratings by a person at a desk look like answers, but are nobody's
        assert f"Broad_Query_Set_{name}.csv not read: {nearest}" in a_shopify_shop[0]
    assert (
        "zendesk_view_export_HEADER_ONLY.csv not read: it has a header but no rows; with some it would feed contacts."
        " Ask for the export again" in a_shopify_shop[0]
    )


def test_olist(a_marketplace):
    tables = a_marketplace[2]
    names = ("orders", "order_items", "customers", "products", "order_reviews")
    raw = {n: pd.read_csv(shared_data() / OLIST / f"olist_{n}_dataset.csv") for n in names}
    orders = tables["orders"]
    assert {n: len(tables[n]) for n in ("orders", "customers", "reviews", "catalogue")} == {
        "orders": len(raw["order_items"]),
        "customers": raw["customers"].customer_unique_id.nunique(),
        "reviews": len(raw["order_reviews"]),
        "catalogue": len(raw["products"]),
    }
    assert orders.amount.sum() == pytest.approx(raw["order_items"].price.sum())
    assert orders.order_id.nunique() == len(raw["orders"]) == 250
    people = raw["customers"].set_index("customer_id").customer_unique_id
    assert orders.customer_id.nunique() == raw["orders"].customer_id.map(people).nunique()
    english = pd.read_csv(shared_data() / OLIST / "product_category_name_translation.csv").iloc[:, 1]
    assert set(tables["catalogue"].category.dropna()) <= set(english)


def test_the_click_stream(a_marketplace):
    events = a_marketplace[2]["events"]
    assert (len(events), events.customer_id.nunique()) == (31_076, 600)
    assert a_marketplace[1].accounts["events"]["refused"] == {"exact duplicate of an earlier record": 30}


def test_the_published_nps_follows_from_both_files(a_marketplace, a_shopify_shop):
    """Nothing in the words "how would you rate Sudzilla?" says NPS: which it is, was filled in."""
    for tables in (a_marketplace[2], a_shopify_shop[2]):
        surveys = tables["surveys"]
        nps = surveys[surveys.metric == "nps"]
        promoters, detractors = (nps.score >= 9).sum(), (nps.score <= 6).sum()
        assert (len(nps), promoters, detractors) == (39, 8, 22)
        assert round(100 * (promoters - detractors) / len(nps), 1) == -35.9
        assert nps.comment.notna().sum() == 37
        assert surveys.answered_on.min() == date(2019, 11, 1)  # not the 11th of January


def test_the_shopify_files(a_shopify_shop):
    tables = a_shopify_shop[2]
    raw = pd.read_csv(shared_data() / VENDORS / "ltvkit_shopify_orders_sample.csv")
    orders = tables["orders"]
    assert len(orders) == len(raw) == 249  # equal lines of one order are lines
    assert orders.quantity.sum() == raw["Lineitem quantity"].sum()
    totals = orders.groupby("order_id").amount.sum().round(4)  # each order's total, shared out and whole
    assert totals.to_dict() == raw.groupby("Name").Total.sum().to_dict()
    assert orders.customer_id.nunique() == raw.Email.str.lower().nunique()
    assert len(tables["customers"]) == 2


def test_rated_queries_are_searches_once_a_time_is_told(a_shopify_shop):
    assert len(a_shopify_shop[2]["searches"]) == 480


def test_the_smaller_vendors(tmp_path):
    _, loaded, tables = made(
        tmp_path,
        [f"{VENDORS}/{name}" for name in ("ltvkit_shopify_orders.csv", "typeform_FIXTURE.csv")],
        AS_OF,
        ("csat: ???", "csat: [1, 5]"),
        ("# max_refused_share: 0.05", "max_refused_share: 0.2"),
        currency="USD",
    )
    assert loaded.accounts["orders"]["refused"] == {"amount not above zero": 1}  # a gift
    raw = pd.read_csv(shared_data() / VENDORS / "ltvkit_shopify_orders.csv")
    assert len(tables["orders"]) == len(raw) - 1
    assert tables["orders"].amount.sum() == pytest.approx(raw.Total.sum())
    assert tables["orders"].refund.sum() == pytest.approx(raw["Refunded Amount"].sum())
    assert tables["surveys"].score.tolist() == [5.0, 4.0]


def test_a_survey_under_two_header_rows(tmp_path):
    path = f"{VENDORS}/surveymonkey_condensed_2row_header_FIXTURE.csv"
    _, _, tables = made(tmp_path, [path], AS_OF, ("nps: ???", "nps: [0, 10]"), ("csat: ???", "csat: [1, 5]"))
    assert sorted(tables["surveys"].metric) == ["csat", "csat", "nps", "nps"]


def test_the_large_shop(tmp_path):
    """UCI Online Retail, with nothing to fill in once currency and zone are given."""
    said, loaded, tables = made(tmp_path, ["uci_online_retail"], currency="GBP", zone="Europe/London")
    assert "orders: 541,909 records; 7 columns mapped; preset uci_online_retail" in said
    account, orders = loaded.accounts["orders"], tables["orders"]
    assert (account["rows_in"], account["kept"], len(orders)) == (541_909, 531_208, 531_208 - 7_399)  # netted returns
    assert account["refused"]["exact duplicate of an earlier record"] == 5_268
    assert orders.customer_id.nunique() == 4_372 - 10  # nine bought no goods, one paid nothing for them


def test_a_survey_sent_twice_is_told():
    root = shared_data() / "prepbench_nps"
    found = [p for name in ("input_01.csv", "input_02.csv") for p in inspect_file.look(root / name)]
    told = combine(found).evidence
    assert told["tables.surveys.path"] == (
        "2 files with the same columns; 39 of 39 records of input_02.csv stand in an earlier file but for their times:"
        " one export twice?"
    )
    assert '[iso, "%d/%m/%Y %H:%M:%S"] or [iso, "%m/%d/%Y %H:%M:%S"]?' in told["tables.surveys.date_format"]
