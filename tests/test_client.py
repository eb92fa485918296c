"""client.yml: each fault is named with its key, what is valid, and the mend."""

from datetime import date

import pytest

from cxkit.client import find_client, load_client
from cxkit.errors import UsageError
from cxkit.mapping import Multiply

GOOD = """\
client: Малятко
currency: UAH
time_zone: Europe/Kyiv
tables:
  orders:
    path: exports/orders.csv
    columns: {order_id: Order, ordered_at: Date, amount: {multiply: [Qty, Price]}}
    not_goods: [POST, 0123, no, 22423]
    values: {status: {1: completed, yes: completed}}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop/exports").mkdir(parents=True)
    (tmp_path / "shop/exports/orders.csv").write_text("Order,Date,Qty,Price\n", encoding="utf-8")
    return tmp_path / "shop"


def write(folder, text):
    (folder / "client.yml").write_text(text, encoding="utf-8")
    return folder / "client.yml"


def fault(folder, text):
    with pytest.raises(UsageError) as error:
        load_client(write(folder, text))
    assert str(error.value).startswith(str(folder / "client.yml"))
    return str(error.value)


def test_a_good_file(folder):
    client = load_client(write(folder, GOOD))
    assert (client.name, client.slug, client.private) == ("Малятко", "shop", folder / "private")
    assert (client.as_of, client.seed, client.engine.memory_limit) == ("latest", 1, "4GB")
    orders = client.tables["orders"]
    assert orders.columns["amount"] == Multiply(multiply=("Qty", "Price"))
    assert orders.not_goods == ("POST", "0123", "no", "22423")  # as they were written, whatever YAML makes of them
    assert orders.values == {"status": {"1": "completed", "yes": "completed"}}
    assert client.files("orders") == {"exports/orders.csv": folder / "exports/orders.csv"}
    assert load_client(folder, as_of="2026-06-30").as_of == date(2026, 6, 30)
    with pytest.raises(ValueError, match="frozen"):
        client.seed = 2
    assert "folder" not in client.settings()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("curency: UAH", "curency: unknown key, did you mean 'currency'?; valid here are as_of, ces, client, colour"),
        ("folder: /etc", "folder: unknown key"),
        ("language: uk", "language: reports in 'uk' do not exist yet; valid is en"),
        ("as_of: 2026-02-30", "as_of: '2026-02-30' is no date; write one that exists, as 2026-06-30, or latest"),
        ("as_of: newest", "as_of: 'newest' is no date"),
        ("seed: -1", "seed: input should be greater than or equal to 0 (found '-1')"),
        ("scales: {nps: [10, 0]}", "scales: the scale of nps must rise, as in [0, 10]; found [10, 0]"),
        ("scales: {nsp: [0, 10]}", "scales: 'nsp' has no scale, did you mean 'nps'?"),
        ("engine: {thread: 2}", "engine.thread: unknown key, did you mean 'threads'?"),
        ("withhold: [loyalty.gini]", "withhold: input should be a valid dictionary"),
        ("logo: ../logo.svg", "logo: '../logo.svg' leaves the client's folder"),
        ("company_size: huge", "company_size: input should be 'small', 'medium' or 'large' (found 'huge')"),
        ("strategy: {product_control: some}", "strategy.product_control: input should be 'none', 'partly' or 'full'"),
        ("strategy: {horizont_years: 2}", "strategy.horizont_years: unknown key, did you mean 'horizon_years'?"),
        ("strategy: {gesture_budget: -1}", "strategy.gesture_budget: input should be greater than or equal to 0"),
        ("strategy: {budget: true}", "strategy.budget: a number is wanted here, found"),
        ("strategy: product", "strategy: keys are wanted under it (product_control, horizon_years, budget, "),
        ("strategy: {budget: .inf}", "strategy.budget: input should be a finite number (found 'inf')"),
        ("margin: 35", "margin: input should be less than or equal to 1 (found '35')"),
        ("margin: 35 %", "margin: input should be a valid number"),
        ("discount_a_year: -0.1", "discount_a_year: input should be greater than or equal to 0 (found '-0.1')"),
        ("discount_a_year: 10", "discount_a_year: input should be less than 1 (found '10')"),
        ("discount_a_year: .nan", "discount_a_year: input should be a finite number (found 'nan')"),
        ("keeping_cost: -5", "keeping_cost: input should be greater than 0 (found '-5')"),
        ("keeping_cost: 0", "keeping_cost: input should be greater than 0 (found '0')"),
        ("keeping_cost: .inf", "keeping_cost: input should be a finite number (found 'inf')"),
        ("quotes: all", "quotes: input should be 'none' or 'reviewed' (found 'all')"),
        ("quotes: true", "quotes: input should be 'none' or 'reviewed' (found 'True')"),
        ("stages: ../stages.yml", "stages: '../stages.yml' leaves the client's folder"),
        ("stages: stages.yml", "stages: there is no file 'stages.yml'"),
        ("stages: exports/orders.csv", "stages: 'exports/orders.csv' is neither .yml nor .yaml."),
        ("segments: ../segments.yml", "segments: '../segments.yml' leaves the client's folder"),
        ("segments: exports/orders.csv", "segments: 'exports/orders.csv' is neither .yml nor .yaml."),
        ("currency: UAH", "the key 'currency' stands there twice; keep one"),
        ("targets: &a {}\nwithhold: *a", "aliases (&name, *name) are not read"),
        ("client2: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("client2: [", "client.yml is plain YAML"),
    ],
)
def test_a_fault_names_its_key_and_the_mend(folder, line, message):
    assert message in fault(folder, f"{GOOD}{line}\n")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "time_zone: Europe/Kyiv",
            "time_zone: Kyiv",
            "time_zone: the time zone 'Kyiv' is unknown; write one as Europe/Kyiv",
        ),
        ("client: Малятко\n", "", "client: missing; client.yml needs it"),
        ("currency: UAH", "currency: hryvnia", "currency: string should match pattern"),
        (
            "    path:",
            "    delimeter: ';'\n    path:",
            "tables.orders.delimeter: unknown key, did you mean 'delimiter'?",
        ),
        ("    path:", "    encoding: utf-9\n    path:", "tables.orders.encoding: the encoding 'utf-9' is unknown"),
        ("    path:", "    date_format: '%H:%M'\n    path:", "needs a year (%Y or %y), a month (%m) and a day (%d)"),
        ("exports/orders.csv", "exports/order.csv", "there is no file 'exports/order.csv'"),
        ("exports/orders.csv", "../../etc/passwd", "'../../etc/passwd' leaves the client's folder"),
        ("exports/orders.csv", "/etc/passwd", "leaves the client's folder"),
        ("exports/orders.csv", "private/key", "lies in the private folder, which holds no exports"),
        ("exports/orders.csv", "${HOME}/x.csv", "may begin with ${CXKIT_DATA}/ and hold no other ${NAME}"),
        ("exports/orders.csv", "${CXKIT_DATA}/x.csv", "needs the environment variable CXKIT_DATA"),
    ],
)
def test_a_wrong_value_names_its_key(folder, monkeypatch, old, new, message):
    monkeypatch.delenv("CXKIT_DATA", raising=False)
    (folder / "private").mkdir()
    (folder / "private/key").write_text("x", encoding="utf-8")
    assert message in fault(folder, GOOD.replace(old, new))


def test_the_settings_of_the_journey(folder):
    client = load_client(write(folder, GOOD))
    assert (client.company_size, client.quotes, client.stages_file) == (None, "none", None)
    (folder / "journey").mkdir()
    (folder / "journey/stages.yml").write_text("stages: []\n", encoding="utf-8")
    client = load_client(write(folder, GOOD + "company_size: small\nquotes: reviewed\nstages: journey/stages.yml\n"))
    assert (client.company_size, client.quotes) == ("small", "reviewed")
    assert client.stages_file == folder / "journey/stages.yml"
    assert client.settings()["stages"] == "journey/stages.yml"
    empty = load_client(write(folder, GOOD + "company_size:\nstages:\n"))
    assert (empty.company_size, empty.stages_file) == (None, None)


def test_what_a_strategy_is_chosen_from_may_be_left_open(folder):
    nothing = dict.fromkeys(("product_control", "horizon_years", "budget", "gesture_budget", "not_customers"))
    assert load_client(write(folder, GOOD)).strategy.model_dump() == nothing
    assert load_client(write(folder, GOOD + "strategy:\n")).strategy.model_dump() == nothing
    told = "strategy: {product_control: none, horizon_years: 2, gesture_budget: 0, not_customers: resellers}\n"
    given = load_client(write(folder, GOOD + told))
    assert (given.strategy.product_control, given.strategy.horizon_years) == ("none", 2)
    assert given.settings()["strategy"]["not_customers"] == "resellers"
    told = 'strategy: {not_customers: "ann@shop.ua +380501234567 and resellers"}\n'
    assert load_client(write(folder, GOOD + told)).strategy.not_customers == "[e-mail] [phone] and resellers"


def test_the_margin_is_a_share_and_may_be_left_out(folder):
    assert load_client(write(folder, GOOD)).margin is None
    client = load_client(write(folder, GOOD + "margin: 0.35\n"))
    assert client.margin == 0.35
    assert client.settings()["margin"] == 0.35
    assert load_client(write(folder, GOOD + "margin:\n")).margin is None


def test_the_discount_and_the_cost_of_keeping_may_be_left_out(folder):
    client = load_client(write(folder, GOOD))
    assert (client.discount_a_year, client.keeping_cost) == (0.1, None)
    client = load_client(write(folder, GOOD + "discount_a_year: 0\nkeeping_cost: 120\n"))
    assert (client.discount_a_year, client.keeping_cost) == (0.0, 120.0)
    assert client.settings()["keeping_cost"] == 120.0
    assert load_client(write(folder, GOOD + "keeping_cost:\n")).keeping_cost is None


def test_a_near_file_name_is_offered(folder):
    assert "did you mean 'orders.csv'?" in fault(folder, GOOD.replace("orders.csv", "order.csv"))


def test_all_faults_are_told_together(folder):
    told = fault(folder, GOOD.replace("UAH", "uah").replace("Europe/Kyiv", "Kyiv") + "sed: 1\n")
    assert all(word in told for word in ("currency:", "time_zone:", "sed:"))


def test_a_link_that_leads_out_is_refused_and_one_under_the_shared_data_is_not(folder, tmp_path, monkeypatch):
    monkeypatch.delenv("CXKIT_DATA", raising=False)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/o.csv").write_text("x", encoding="utf-8")
    (folder / "exports/link.csv").symlink_to(tmp_path / "elsewhere/o.csv")
    linked = GOOD.replace("orders.csv", "link.csv")
    assert "leaves the client's folder" in fault(folder, linked)
    monkeypatch.setenv("CXKIT_DATA", str(tmp_path / "elsewhere"))
    assert load_client(write(folder, linked)).tables
    by_name = GOOD.replace("exports/orders.csv", "${CXKIT_DATA}/o.csv")
    assert load_client(write(folder, by_name)).files("orders") == {"${CXKIT_DATA}/o.csv": tmp_path / "elsewhere/o.csv"}
    assert "leaves the client's folder" in fault(folder, by_name.replace("/o.csv", "/../shop2/o.csv"))


def test_a_huge_or_binary_file_is_no_client(folder):
    assert "over 1 MB" in fault(folder, "# " + "x" * 1_000_001)
    (folder / "client.yml").write_bytes("client: Ї".encode("cp1251"))
    with pytest.raises(UsageError, match="is not UTF-8"):
        load_client(folder)
    assert "holds no settings" in fault(folder, "just a text")
    assert "plain YAML" in fault(folder, "[" * 5000)


def test_find_client(folder, tmp_path):
    yml = write(folder, GOOD)
    assert find_client("shop", base=tmp_path) == yml
    assert find_client(str(folder), base=tmp_path / "none") == yml
    assert find_client(str(yml), base=tmp_path / "none") == yml
    with pytest.raises(UsageError) as error:
        find_client("shopp", base=tmp_path)
    assert "did you mean 'shop'?" in str(error.value)
    assert "Clients under" in str(error.value)
