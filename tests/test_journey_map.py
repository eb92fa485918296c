"""The journey map's figures by hand, against a slow calculation of its own, and what no data may break."""

from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hand_touches import frame, random_touches, table, touches
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import journey_map as jm
from cxkit.errors import UsageError
from cxkit.estimates import wilson
from cxkit.findings import Finding
from cxkit.journey_map import join_maps, journey_map
from cxkit.journey_readings import leading_metric, map_findings, weak_points
from cxkit.stages import GOAL, read_stages
from cxkit.survival import survival_quantiles

STAGES = read_stages()
TWO = STAGES.iloc[[0, 2]]  # need and comparison: quicker than ten
END = datetime(2026, 6, 30)
DAYS = timedelta(days=30)
MICRO = timedelta(microseconds=1)
HOSTILE = '<script>alert("{value}")</script> $x_1$ {0}'


def mapped(rows, **options) -> pd.DataFrame:
    return journey_map(touches(rows), **{"stages": STAGES, "until": END} | options).set_index("stage")


def own_stages(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Stages of the client's own: key, name, path."""
    return pd.DataFrame(rows, columns=["stage", "name", "path"])


def ends(row: pd.Series, name: str) -> list[float]:
    return [row[name], row[f"{name}_low"], row[f"{name}_high"], row[f"{name}_n"]]


def of(estimate) -> list[float]:
    return [estimate.value, estimate.low, estimate.high, estimate.n]


def test_a_small_log_by_eye():
    rows = [
        ("anna", "s1", "10:00", "home", "need"),
        ("anna", "s1", "10:10", "product", "comparison", "app"),
        ("anna", "s2", "2026-03-02 10:00", "product", "comparison", "app"),
        ("anna", "s2", "2026-03-02 10:30", "cart", "choice"),
        ("bohdan", "s3", "11:00", "home", "need", "app"),
        ("bohdan", "s3", "11:00", "size_guide", "comparison", None),
        ("session s4", "s4", "12:00", "home", "need"),
        ("session s5", "s5", "12:00", "home", "need"),
        ("session s5", "s5", "12:05", "blog", None),  # no stage
    ]
    found = mapped(rows)
    assert list(found.index) == list(STAGES["stage"])
    assert list(found["position"]) == list(range(1, 11))
    need, comparison, choice, delivery = (found.loc[s] for s in ("need", "comparison", "choice", "delivery"))
    assert need[["touchpoints", "customers", "unknown_sessions", "touches"]].to_list() == [1, 2, 2, 4]
    assert comparison[["touchpoints", "customers", "unknown_sessions", "touches"]].to_list() == [2, 2, 0, 3]
    assert (need["channels"], comparison["channels"]) == ("web, app", "app")
    assert delivery[["touchpoints", "customers", "touches"]].to_list() == [0, 0, 0]
    assert delivery["channels"] == ""
    # customers: nobody known by name stands apart
    assert ends(need, "goes_on") == of(wilson(2, 2))
    assert ends(comparison, "goes_on") == of(wilson(1, 2))
    assert np.isnan(choice["goes_on"])  # nobody came to a later stage at all: the data hold none
    assert choice[["goes_on_n", "days_n"]].to_list() == [0, 0]
    # visits, known or not; to be at two stages at one instant is to go on
    assert ends(need, "visit_goes_on")[::3] == [2 / 4, 4]
    assert ends(comparison, "visit_goes_on")[::3] == [1 / 3, 3]
    assert np.isnan(choice["visit_goes_on"])  # no visit of anybody got further than choice
    assert choice["visit_goes_on_n"] == 0
    # half of those at need went on at once, all within 10 minutes
    assert need[["days_q25", "days_median", "days_q75", "days_n"]].to_list() == [0, 0, 10 / 1440, 2]
    # at comparison one went on after a day and half an hour (cut to hours), the other is censored
    assert comparison[["days_median", "days_n"]].to_list() == [24 / 24, 2]
    assert np.isnan(comparison["days_q75"])
    basis = found[["of_customers", "of_unknown_sessions", "since", "to", "until", "within_days", "level"]]
    assert basis.drop_duplicates().to_numpy().tolist() == [
        [2, 2, pd.Timestamp("2026-03-01"), pd.Timestamp("2026-03-02"), pd.Timestamp(END), 30, 0.95]
    ]


def test_the_windows_border_to_the_microsecond():
    first = datetime(2026, 3, 1, 10, 0, 0, 123456)
    rows = [
        row
        for who, later in (("in", first + DAYS), ("out", first + DAYS + MICRO))
        for row in ((who, None, first, "home", "need"), (who, None, later, "product", "comparison"))
    ]
    assert ends(mapped(rows, stages=TWO).loc["need"], "goes_on") == of(wilson(1, 2))
    assert mapped(rows, stages=TWO).loc["need", "days_median"] == 30
    # a customer has the whole window, or is too young: left out, not lost
    rows.append(("other", None, first, "product", "comparison"))
    for until, n in ((first + DAYS, 2), (first + DAYS - MICRO, 0)):
        row = mapped(rows, stages=TWO, until=until).loc["need"]
        assert row["goes_on_n"] == n
        assert row["days_n"] == row["customers"] == 2
    assert np.isnan(row["goes_on"])
    # the window's last instant can be seen
    assert mapped(rows, stages=TWO, until=first + DAYS).loc["need", "goes_on"] == 0.5


def test_touches_after_the_end_are_left_out_and_zones_are_understood():
    rows = [("anna", "s", "10:00", "home", "need"), ("anna", "s", "2026-03-05 10:00", "product", "comparison")]
    found = mapped(rows, stages=TWO, until=datetime(2026, 3, 5, 9, 59), within_days=1)
    assert found.loc["comparison", "touches"] == 0
    assert found.loc["need", "goes_on_n"] == 0  # and so the data hold no later stage
    aware = datetime(2026, 3, 5, 11, 59, tzinfo=UTC).astimezone(tz=None)
    assert mapped(rows, stages=TWO, until=aware).loc["comparison", "touches"] == 1
    assert mapped(rows, stages=TWO, until=aware)["until"].iloc[0] == pd.Timestamp("2026-03-05 11:59")


def test_earlier_and_aside_stages_are_no_progress():
    rows = [
        ("anna", "s", "10:00", "cart", "choice"),
        ("anna", "s", "10:01", "home", "need"),
        ("anna", "s", "10:02", "support_chat", "support"),
        ("anna", "s", "10:03", "search", "information"),
        ("anna", None, "2026-03-02", "return", "return"),
    ]
    found = mapped([*rows, ("other", None, "10:00", "order_placed", "payment")])
    assert found.loc["choice", ["goes_on", "goes_on_n"]].to_list() == [0, 1]
    assert found.loc["choice", ["days_n"]].to_list() == [1]
    assert np.isnan(found.loc["choice", "days_median"])
    # from need to information, but not by the cart that came before it
    assert found.loc["need", ["goes_on", "days_median"]].to_list() == [1, 2 / 1440]
    for stage in ("evaluation", "support", "return"):
        assert found.loc[stage, ["goes_on_n", "visit_goes_on_n", "days_n"]].to_list() == [0, 0, 0]
        assert found.loc[stage, ["goes_on", "visit_goes_on", "days_median"]].isna().all()


def test_untimed_touches_count_in_reach_and_in_no_duration():
    log = frame(
        [
            ("anna", "s", "10:00", "cart", "choice"),
            ("anna", "s", "10:05", "payment_page", "payment"),
            ("bohdan", None, "10:00", "cart", "choice"),
            ("bohdan", None, "10:30", "payment_page", "payment"),
        ],
        timed=[True, False, False, True],
    )
    found = journey_map(table(log), stages=STAGES, until=END).set_index("stage")
    assert found["customers"].loc[["choice", "payment"]].to_list() == [2, 2]
    assert found.loc["choice", ["goes_on", "goes_on_n", "days_n"]].to_list() == [0, 1, 1]
    assert found.loc["payment", ["goes_on_n", "days_n"]].to_list() == [0, 0]  # nothing later in the data
    assert found.loc["choice", "visit_goes_on_n"] == 0  # anna's visit has but one touch whose time is known


def test_to_order_is_to_go_on_from_the_stage_that_holds_the_order():
    rows = [
        ("anna", "s1", "10:00", "payment_page", "payment"),
        ("anna", "s1", "10:01", GOAL, "payment"),
        ("bohdan", "s2", "10:00", "payment_page", "payment"),
        ("celina", "s3", "10:00", GOAL, "payment"),
        ("dmytro", "s4", "10:00", GOAL, "payment"),
        ("dmytro", "s4", "10:01", "payment_page", "payment"),  # he ordered before, and is back at the page
        ("eva", None, "10:00", GOAL, "payment"),  # no visit: ordered by phone
        ("bohdan", "s5", "11:00", "cart", "choice"),
    ]
    found = mapped(rows)
    assert found.loc["payment", ["visit_goes_on", "visit_goes_on_n"]].to_list() == [3 / 4, 4]
    assert np.isnan(found.loc["payment", "goes_on"])  # a customer goes on to a later stage, and there is none
    assert found.loc["choice", ["visit_goes_on", "visit_goes_on_n"]].to_list() == [0, 1]


def test_visits_of_strangers_have_wilsons_interval():
    rows = [(f"session s{i}", f"s{i}", "10:00", "home", "need") for i in range(20)]
    rows += [(f"session s{i}", f"s{i}", "10:01", "product", "comparison") for i in range(13)]
    assert ends(mapped(rows).loc["need"], "visit_goes_on") == pytest.approx(of(wilson(13, 20)))


def visits_of(*people: tuple[int, int]) -> list[tuple]:
    """Each person's visits to need, and how many of them go on."""
    rows = []
    for who, (whole, part) in enumerate(people):
        for visit in range(whole):
            session, at = f"s{who}-{visit}", pd.Timestamp("2026-03-01") + pd.Timedelta(hours=visit)
            rows.append((f"c{who}", session, at, "home", "need"))
            if visit < part:
                rows.append((f"c{who}", session, at + pd.Timedelta(minutes=1), "product", "comparison"))
    return rows


def test_a_visitors_visits_are_alike():
    """Ten visits each of four visitors, of whom two always go on: as four strangers, and wider as t with 3 degrees."""
    row = mapped(visits_of((10, 10), (10, 10), (10, 0), (10, 0)), stages=TWO).loc["need"]
    assert row[["visit_goes_on", "visit_goes_on_n"]].to_list() == [0.5, 40]
    assert row["visit_goes_on_low"] < wilson(2, 4).low
    assert row["visit_goes_on_high"] > wilson(2, 4).high
    # all alike, or one visitor: as many as there are visitors
    everybody = mapped(visits_of(*[(10, 10)] * 4), stages=TWO).loc["need"]
    assert ends(everybody, "visit_goes_on")[:3] == pytest.approx(of(wilson(4, 4))[:3])
    steady = mapped(visits_of(*[(10, 5)] * 4), stages=TWO).loc["need"]
    assert ends(steady, "visit_goes_on")[:3] == pytest.approx(of(wilson(2, 4))[:3])
    alone = mapped(visits_of((10, 1)), stages=TWO).loc["need"]
    assert alone["visit_goes_on_low"] < 0.02
    assert alone["visit_goes_on_high"] > 0.75


@pytest.mark.parametrize("size", [5, 40])
def test_the_clustered_interval_covers(size):
    """400 shops of a few visitors with 1 to 6 visits each, whose visits are alike."""
    rng = np.random.default_rng(11)
    sums, truth = [], 0.6
    for _ in range(400):
        whole = rng.integers(1, 7, size).astype(float)
        part = rng.binomial(whole.astype(int), rng.beta(1.5, 1.0, size)).astype(float)
        sums.append((part.sum(), whole.sum(), part @ part, part @ whole, whole @ whole, float(size)))
    low, high = jm._visit_ends(*np.array(sums).T, level=0.95)
    covered = ((low <= truth) & (truth <= high)).mean()
    assert 0.92 <= covered <= 0.99


def test_durations_are_censored_not_left_out():
    """Of five, one went on after 10 days and one after 20; the others came 5, 15 and 25 days before the end."""
    rows = []
    for who, came, went in (("a", 40, 30), ("b", 40, 20), ("c", 5, None), ("d", 15, None), ("e", 25, None)):
        rows.append((who, None, END - timedelta(days=came), "order_placed", "payment"))
        if went:
            rows.append((who, None, END - timedelta(days=went), "delivery", "delivery"))
    row = mapped(rows).loc["payment"]
    quarter, median, rest = survival_quantiles(
        np.array([10, 20, 5, 15, 25]), np.array([True, True, False, False, False])
    )
    assert [row["days_q25"], row["days_median"]] == [quarter.value, median.value] == [10, 20]
    assert np.isnan(row["days_q75"])
    assert np.isnan(rest.value)
    assert row["days_median_low"] == median.low == 10
    assert np.isinf(row["days_median_high"])
    assert row["days_n"] == 5
    assert ends(row, "goes_on") == of(wilson(2, 2))


def test_durations_are_cut_to_minutes_and_from_a_day_on_to_hours():
    def days(later: str) -> float:
        rows = [("a", None, "2026-03-01 10:00:00.5", "home", "need"), ("a", None, later, "product", "comparison")]
        return mapped(rows, stages=TWO).loc["need", "days_median"]

    assert days("2026-03-01 10:01:00.4") == 0
    assert days("2026-03-01 10:01:00.5") == 1 / 1440
    assert days("2026-03-02 10:00:00.4") == 1439 / 1440
    assert days("2026-03-02 10:59:59") == 1
    assert days("2026-03-02 11:00:00.5") == 25 / 24


def contact_log(rows: list[tuple], *, point: str = "support", stage: str | None = "support") -> pd.DataFrame:
    """Touches, of which those at `support` are contacts."""
    log = frame([(*row, stage) if row[3] == "support" else row for row in rows])
    asked = log["touchpoint"] == "support"
    return log.assign(origin=log["origin"].mask(asked, "contacts"), touchpoint=log["touchpoint"].mask(asked, point))


ASKED = [
    ("anna", None, "09:00:00.250001", "order_placed", "payment"),
    ("anna", None, "09:00:00.250002", "home", "need"),  # the same second: the last touch decides, not the last stage
    ("anna", None, "10:00:00.5", "support"),
    ("anna", None, "10:00", "return", "return"),  # aside: she still stands where she stood
    ("anna", None, "10:30", "support"),
    ("bohdan", None, "09:00:00.7", "home", "need"),
    ("bohdan", None, "10:00", "delivery", "delivery"),
    ("bohdan", None, "10:00", "support"),  # at the very instant: the delivery goes before
    ("celina", None, "10:00", "support"),  # before she was anywhere
    ("celina", None, "10:01", "home", "need"),
    ("session s1", "s1", "10:01", "home", "need"),
    ("session s1", "s1", "10:02", "support"),  # nobody known
]


@pytest.mark.parametrize("point", ["support", "Support", " SUPPORT"])
@pytest.mark.parametrize("stage", ["support", None])
def test_contacts_count_for_the_main_stage_before(point, stage):
    log = contact_log(ASKED, point=point, stage=stage)
    found = journey_map(table(log), stages=STAGES, until=END).set_index("stage")
    assert found["contacts"].loc[["need", "payment", "delivery", "support"]].to_list() == [2, 0, 1, 0]
    need = found.loc["need"]
    assert need[["contacts_per_100", "contacts_per_100_n"]].to_list() == pytest.approx([100 * 2 / 3, 3])
    assert found.loc["payment", "contacts_per_100"] == 0
    assert np.isnan(found.loc["support", "contacts_per_100"])
    assert np.isnan(found.loc["choice", "contacts_per_100"])  # nobody came there


def test_a_contact_that_is_a_main_stage_itself_counts_for_the_one_before():
    stages = own_stages(("buy", "Buy", "main"), ("service", "Service", "main"), ("after", "After", "main"))
    rows = [("anna", None, "10:00", "order_placed", "buy"), ("anna", None, "11:00", "support")]
    log = contact_log([*rows, ("anna", None, "12:00", "support")], stage="service")
    found = journey_map(table(log), stages=stages, until=END).set_index("stage")
    assert found["contacts"].to_list() == [1, 1, 0]
    assert found.loc["buy", "goes_on"] == 1


def test_the_interval_of_contacts_by_hand():
    people = [f"c{i}" for i in range(50)]
    rows = [(who, None, "09:00", "home", "need") for who in people]
    one_each = contact_log([*rows, *((who, None, "10:00", "support") for who in people[:8])])
    row = journey_map(table(one_each), stages=STAGES, until=END).iloc[0]
    # Garwood's interval of 8 is 3.454 to 15.763 (the tables of the Poisson distribution)
    assert ends(row, "contacts_per_100") == pytest.approx([16, 2 * 3.4538, 2 * 15.7632, 50], abs=1e-3)
    one_asks_all = contact_log([*rows, *((people[0], None, f"10:0{i}", "support") for i in range(8))])
    held = journey_map(table(one_asks_all), stages=STAGES, until=END).iloc[0]
    assert held["contacts_per_100"] == 16
    assert held["contacts_per_100_low"] < 1
    assert held["contacts_per_100_high"] > 45


def test_without_a_contact_of_anybody_their_rate_is_not_known():
    rows = [("anna", "s", "10:00", "home", "need"), ("anna", "s", "10:00", "support_chat", "support")]
    found = mapped(rows)
    assert (found["contacts"] == 0).all()
    assert found[["contacts_per_100", "contacts_per_100_low", "contacts_per_100_high"]].isna().all(axis=None)


def test_scores_and_quotes_stand_at_their_stages():
    scores = pd.DataFrame(
        [("need", "csat", 4.0, 3.8, 4.2, 90), ("need", "nps", -10.0, -20.0, 0.0, 40),
         ("return", "csat", np.nan, np.nan, np.nan, 3), (None, "csat", 1.0, 1.0, 1.0, 5),
         (None, "csat", 2.0, 1.0, 3.0, 5)],
        columns=["stage", "metric", "value", "low", "high", "n"],
    )  # fmt: skip
    quotes = pd.DataFrame(
        [("need", "one"), (None, "lost"), (None, "lost too"), ("need", None), ("need", "two"), ("need", "three"),
         ("use", HOSTILE)],
        columns=["stage", "quote"],
    )  # fmt: skip
    found = mapped([("anna", "s", "10:00", "home", "need")], scores=scores, quotes=quotes)
    assert ends(found.loc["need"], "csat") == [4.0, 3.8, 4.2, 90]
    assert ends(found.loc["need"], "nps") == [-10, -20, 0, 40]
    assert found.loc["return", "csat_n"] == 3
    assert found["csat"].notna().sum() == 1
    assert found["ces_n"].sum() == 0
    assert found.loc["need", ["quote_1", "quote_2"]].to_list() == ["one", "two"]
    assert found.loc["use", ["quote_1", "quote_2"]].to_list() == [HOSTILE, None]
    assert leading_metric(found) == "csat"
    assert leading_metric(mapped([])) is None


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("anna", "s", "10:00", "home", "need")],
        [("anna", "s", "10:00", "blog", None)],
        [("session s", "s", "10:00", "home", "need")],
        [("anna", None, "10:00", "order_placed", "payment")],  # no events
    ],
    ids=["empty", "one touchpoint", "no stage", "nobody known", "no events"],
)
def test_little_data_break_nothing(rows):
    found = journey_map(touches(rows), stages=STAGES, until=END)
    there = len([row for row in rows if row[4]])
    assert len(found) == 10
    assert found["touches"].sum() == there
    assert found["of_customers"].iloc[0] + found["of_unknown_sessions"].iloc[0] == there
    whole = journey_map(touches([("a", "s", "10:00", "home", "need")] * 2), stages=STAGES, until=END)
    pd.testing.assert_series_equal(found.dtypes.drop(["since", "to"]), whole.dtypes.drop(["since", "to"]))
    assert weak_points(found).empty
    assert list(weak_points(found).columns) == ["lane", "stage", "touchpoint", "word"]
    assert all(isinstance(f, Finding) and f.sentence() for f in map_findings(found))
    pd.testing.assert_frame_equal(join_maps(found), found)


def test_stages_of_the_clients_own():
    stages = own_stages(("see", "Ogląda", "main"), ("ask", "Pyta", "aside"), ("buy", "Купує", "main"))
    rows = [("anna", "s", "10:00", "x", "see"), ("anna", "s", "10:01", "y", "ask"), ("anna", "s", "10:02", GOAL, "buy")]
    found = journey_map(touches([*rows, ("bohdan", "s2", "10:00", "home", "need")]), stages=stages, until=END)
    assert found[["stage", "name", "position", "customers"]].to_numpy().tolist() == [
        ["see", "Ogląda", 1, 1], ["ask", "Pyta", 2, 1], ["buy", "Купує", 3, 1],
    ]  # fmt: skip
    assert found["goes_on"].to_list()[:1] == [1]
    assert found["goes_on"].isna().to_list() == [False, True, True]
    assert found["of_customers"].iloc[0] == 1  # bohdan came to none of these stages
    one = journey_map(touches(rows), stages=stages.iloc[[2]], until=END)
    assert one[["goes_on_n", "visit_goes_on_n", "days_n", "customers"]].to_numpy().tolist() == [[0, 0, 0, 1]]
    assert list(one.columns) == list(found.columns)
    none = journey_map(touches(rows), stages=stages.iloc[[1]], until=END)
    assert none["touches"].to_list() == [1]


def test_long_and_hostile_names():
    stages = own_stages(("a", "я" * 300, "main"), ("b", HOSTILE, "main"), ("c", "C\u202e\nd", "main"))
    rows = [
        (HOSTILE, "s", "10:00", "x" * 300, "a", HOSTILE),
        (HOSTILE, "s", "10:01", HOSTILE, "b", "ж" * 300),
        (HOSTILE, "s", "2026-03-04 10:01", "'; DROP TABLE x; --", "c", ""),
    ]
    found = journey_map(touches(rows), stages=stages, until=END)
    assert found["customers"].to_list() == [1, 1, 1]
    assert found["channels"].to_list() == [HOSTILE, "ж" * 300, ""]
    told = {f.id: f for f in map_findings(found)}
    assert list(told) == ["journey.stage.a", "journey.stage.b", "journey.days.b"]
    assert (
        told["journey.stage.b"].sentence().startswith(f"100 % of the customers who come to the stage {HOSTILE} go on")
    )
    assert HOSTILE in told["journey.days.b"].sentence()
    assert "я" * 300 in told["journey.stage.a"].label
    moved = map_findings(found.assign(name=["A\u202e\nb", "B", "C"]))
    assert moved[0].label == "A b: customers who go on within 30 days"


def test_only_keeps_the_figures_of_the_whole():
    rows = [*visits_of((3, 2), (2, 2), (1, 0)), ("c0", None, "2026-03-05", "order_placed", "payment")]
    whole = journey_map(touches(rows), stages=STAGES, until=END)
    first = journey_map(touches(rows), stages=STAGES, until=END, only=["comparison", "need"])
    assert first["stage"].to_list() == ["need", "comparison"]
    pd.testing.assert_frame_equal(first, whole[whole["stage"].isin(first["stage"])].reset_index(drop=True))
    rest = journey_map(touches(rows), stages=STAGES, until=END, only=[s for s in STAGES["stage"] if s != "need"])
    pd.testing.assert_frame_equal(join_maps(rest, first), whole)
    pd.testing.assert_frame_equal(join_maps(first, rest, whole), whole)
    with pytest.raises(UsageError, match="no map to join"):
        join_maps()


def test_maps_that_conflict_are_refused():
    rows = visits_of((3, 2), (2, 2), (1, 0))
    parts = {"stages": TWO, "until": END}
    need = journey_map(touches(rows), only=["need"], **parts)
    other = journey_map(touches(rows), only=["comparison"], **parts)
    with pytest.raises(UsageError, match="other figures for need"):
        join_maps(need, need.assign(touches=7))
    for option, named in (
        ({"within_days": 7}, "within_days: 30, 7"),
        ({"level": 0.9}, "level"),
        ({"until": END - DAYS}, "until"),
    ):
        later = journey_map(touches(rows), only=["comparison"], **parts | option)
        with pytest.raises(UsageError, match=f"differ in {named}"):
            join_maps(need, later)
    with pytest.raises(UsageError, match="differ in of_customers"):
        join_maps(need, journey_map(touches(rows[2:-1]), only=["comparison"], **parts))
    with pytest.raises(UsageError, match="in one place: comparison, need"):
        join_maps(need, other.assign(position=1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": ["need", "paiment"]}, "only names 'paiment', which is no stage; valid are need, information"),
        ({"within_days": 0}, "within_days must be at least 1; found 0"),
        ({"level": 1.0}, "level lies between 0 and 1; found 1.0"),
        ({"until": date(2026, 6, 30)}, "until must be a time"),
    ],
)
def test_wrong_settings_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        mapped([], **options)


@cache
def nothing() -> pd.DataFrame:
    return journey_map(touches([]), stages=STAGES, until=END, only=["need", "information", "comparison"])


def drawn(**columns: list[float]) -> pd.DataFrame:
    """A map of three stages; its figures by name: value, low, high of each stage (or NaN)."""
    found = nothing().assign(leads_on=True)
    for name, cells in columns.items():
        for place, part in enumerate(("", "_low", "_high")):
            found[f"{name}{part}"] = [cell[place] if cell else np.nan for cell in cells]
        found[f"{name}_n"] = [100 if cell else 0 for cell in cells]
    return found


def test_the_worst_stage_is_marked_where_its_interval_meets_no_other():
    going = [(0.5, 0.45, 0.55), (0.7, 0.6, 0.8), (0.9, 0.85, 0.95)]
    asked = [(5.0, 4.0, 6.0), (9.0, 7.0, 11.0), None]
    found = weak_points(drawn(visit_goes_on=going, contacts_per_100=asked), touchpoints=["cart"])
    assert found.to_numpy().tolist() == [
        ["touchpoint", None, "cart", "weak"],
        ["visit_goes_on", "need", None, "fewest go on"],
        ["contacts_per_100", "information", None, "most contacts"],
    ]
    touching = [(0.5, 0.4, 0.6), *going[1:]]
    assert weak_points(drawn(visit_goes_on=touching)).empty
    assert weak_points(drawn(contacts_per_100=[(5.0, 4.0, 7.0), (9.0, 7.0, 11.0), None])).empty
    assert weak_points(drawn(visit_goes_on=[going[0], None, None])).empty  # there is nothing to compare with
    by_customer = weak_points(drawn(visit_goes_on=[going[2], None, None], goes_on=going))
    assert by_customer["lane"].to_list() == ["goes_on"]


def test_the_metric_known_at_most_stages_tells_who_is_least_content():
    low, high = (3.0, 2.9, 3.1), (4.0, 3.9, 4.1)
    made = drawn(csat=[high, low, None], nps=[(-50.0, -60.0, -40.0), (9.0, 5.0, 12.0), (20.0, 15.0, 25.0)])
    assert leading_metric(made) == "nps"
    assert weak_points(made).to_numpy().tolist() == [["nps", "need", None, "least content"]]
    made = drawn(csat=[high, low, None], nps=[(-50.0, -60.0, -40.0), None, (9.0, 5.0, 12.0)])
    assert leading_metric(made) == "csat"  # as many stages: csat goes before
    assert weak_points(made)["stage"].to_list() == ["information"]


def test_findings_have_the_stages_ids_and_the_clients_targets_alone_judge_them():
    rows = []
    for number in range(200):
        who = f"c{number:03}"
        rows.append((who, None, "2026-04-01", "order_placed", "payment"))
        if number % 4:
            rows.append((who, None, f"2026-04-{5 + number % 3:02}", "delivery", "delivery"))
    rows.append(("other", None, "2026-04-02", "manual", "use"))
    found = map_findings(journey_map(touches(rows), stages=STAGES, until=END))
    assert [f.id for f in found] == [
        "journey.stage.payment", "journey.days.payment", "journey.stage.delivery", "journey.days.delivery",
    ]  # fmt: skip
    share, days, end, never = found
    assert share.sentence() == (
        "75 % of the customers who come to the stage Payment go on to a later one within 30 days (69–80 %, n = 200)."
    )
    assert days.sentence() == (
        "Half of the customers who come to the stage Payment have gone on after 5 days (5–6 days, n = 200)."
    )
    assert {f.quadrant() for f in found[:3]} == {"no reference"}
    assert never.quadrant() == "too early to say"
    assert never.sentence() == (
        "Delivery: days until half of the customers go on: too early to say (n = 150; fewer than half have gone on by "
        "the end)."
    )
    assert end.estimate.value == 0
    assert not days.higher_is_better
    judged = Finding(**{**vars(share), "target": 0.9})
    assert judged.quadrant() == "weakness"
    assert Finding(**{**vars(days), "target": 10}).quadrant() == "strength"


def test_no_finding_of_what_nobody_is_old_enough_for_or_of_minutes():
    rows = [("anna", None, "2026-06-20 10:00", "home", "need"), ("anna", None, "2026-06-20 10:05", "cart", "choice")]
    rows.append(("other", None, "2026-06-20 10:00", "order_placed", "payment"))
    found = map_findings(mapped(rows).reset_index())
    assert [f.id for f in found] == ["journey.days.choice"]
    week = map_findings(mapped(rows, within_days=1).reset_index())
    assert week[0].id == "journey.stage.need"
    assert "within 1 day (" in week[0].sentence()


def test_what_cannot_be_seen_yet_is_too_early_to_say():
    rows = [(f"c{i}", None, "2026-06-01", "order_placed", "payment") for i in range(9)]
    rows += [(f"c{i}", None, "2026-06-04", "delivery", "delivery") for i in range(5)]
    found = journey_map(touches(rows), stages=STAGES, until=END)
    assert np.isinf(found.set_index("stage").loc["payment", "days_median_high"])
    days = next(f for f in map_findings(found) if f.id == "journey.days.payment")
    assert days.estimate.value == 3
    assert days.quadrant() == "too early to say"
    assert "cannot be seen yet" in days.sentence()


# a slow calculation of its own


def by_hand(log: pd.DataFrame, until: datetime, within: timedelta) -> dict[tuple[str, str], list[float]]:
    """Of customers (went on, old enough, all), of visits (went on, all), by stage; contacts by stage."""
    main = STAGES.loc[STAGES["path"] == "main", "stage"].to_list()
    rank = {stage: number for number, stage in enumerate(main)}
    log = log[log["timed"] & (log["occurred_at"] <= until)]
    placed = log[log["stage"].isin(main)].assign(rank=lambda f: f["stage"].map(rank))
    found = {}
    for stage in main[:-1]:
        k, went, old, everybody, contacts = rank[stage], 0, 0, 0, 0
        for _, own in placed[placed["customer_id"].notna()].groupby("customer_id"):
            here = own[own["rank"] == k]
            if here.empty:
                continue
            first = here["occurred_at"].min()
            later = own[(own["rank"] > k) & (own["occurred_at"] >= first)]["occurred_at"]
            everybody += 1
            if first + within <= until:
                old += 1
                went += bool(len(later) and later.min() <= first + within)
        found["customers", stage] = [went, old, everybody]
        went = visits = 0
        for _, own in placed[placed["session"].notna()].groupby(["visitor", "session"]):
            here = own[own["rank"] == k]
            if here.empty:
                continue
            visits += 1
            further = own[(own["rank"] > k) | ((own["rank"] == k) & (own["touchpoint"] == GOAL))]
            went += bool((further["occurred_at"] >= here["occurred_at"].min()).any())
        found["visits", stage] = [went, visits]
        for ask in log[(log["touchpoint"] == "support") & log["customer_id"].notna()].itertuples():
            before = placed[(placed["customer_id"] == ask.customer_id) & (placed["occurred_at"] <= ask.occurred_at)]
            if len(before):
                contacts += before.sort_values(["occurred_at", "rank"])["stage"].iloc[-1] == stage
        found["contacts", stage] = [contacts]
    return found


def drawn_log(seed: int, rows: int) -> pd.DataFrame:
    """Touches at random over some hours, with contacts, touches without a time, and fractions of a second."""
    rng = np.random.default_rng(seed)
    log = random_touches(rng, rows, visitors=12, names=("a", "b", "c", "d", "support"))
    log["stage"] = log["stage"].mask(log["touchpoint"] == "support", "support")
    log["origin"] = log["origin"].mask(log["touchpoint"] == "support", "contacts")
    log["occurred_at"] += pd.to_timedelta(rng.choice([0, 1, 999_999], rows), unit="us")
    return log.assign(timed=rng.random(rows) < 0.9)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(0, 80), hours=st.integers(2, 32))
def test_any_log_has_the_figures_of_the_slow_calculation(seed, rows, hours):
    """What comes to a stage goes on, is lost or is too young; whoever goes on has come; rows in any order."""
    log, until = drawn_log(seed, rows), datetime(2026, 3, 1) + timedelta(hours=hours)
    log["occurred_at"] -= pd.to_timedelta(24 * (log.index % 2), unit="h")  # half of them a day before
    whole = journey_map(table(log), stages=STAGES, until=until, within_days=1)
    shuffled = table(log.sample(frac=1, random_state=seed))
    pd.testing.assert_frame_equal(journey_map(shuffled, stages=STAGES, until=until, within_days=1), whole)
    found = whole.set_index("stage")
    reached = log[(log["occurred_at"] <= until) & log["customer_id"].notna()].groupby("stage")["customer_id"].nunique()
    expected = by_hand(log, until, timedelta(days=1))
    met = [stage for stage in STAGES["stage"][:7] if expected["visits", stage][1]]
    for stage in STAGES["stage"][:7]:
        row = found.loc[stage]
        went, old, everybody = expected["customers", stage]
        young = everybody - old
        assert row["customers"] == reached.get(stage, 0) >= everybody
        later = list(STAGES["stage"])[list(STAGES["stage"]).index(stage) + 1 : 8]
        if not any(reached.get(name, 0) for name in later):
            went = old = everybody = young = 0  # the data hold nothing later
        assert [row["goes_on_n"], row["days_n"]] == [old, everybody]
        assert ends(row, "goes_on") == pytest.approx(of(wilson(went, old)), nan_ok=True)
        lost = old - went
        assert went + lost + young == row["days_n"]
        assert not row["days_q25"] > row["days_median"]
        assert not row["days_median"] > row["days_q75"]
        assert row["contacts"] == expected["contacts", stage][0]
        went, visits = expected["visits", stage]
        if row["visit_goes_on_n"]:
            assert [row["visit_goes_on"], row["visit_goes_on_n"]] == pytest.approx([went / visits, visits])
            assert 0 <= row["visit_goes_on_low"] <= row["visit_goes_on"] <= row["visit_goes_on_high"] <= 1
        else:
            assert not visits or stage == met[-1]  # no visit got further than there
