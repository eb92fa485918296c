"""What became of customers, SWOT items and actions, by hand."""

import pandas as pd
import pytest

from cxkit import moves
from cxkit.changes import COLUMNS, MORE
from cxkit.errors import UsageError


def customers(tiers, *, prefix="c"):
    return pd.DataFrame({"customer_id": [f"{prefix}{i:03d}" for i in range(len(tiers))], "tier": tiers})


def figures(*rows):
    """Rows (id, verdict) as `compare` tells them: a difference of 5 points."""
    same = {"difference": 5.0, "low": 1.0, "high": 9.0, "difference_unit": "points", "currency": ""}
    frame = pd.DataFrame([{"id": id, "label": f"Figure {id}", "verdict": verdict, **same} for id, verdict in rows])
    return frame.reindex(columns=[*COLUMNS, *MORE])


EARLY = "too early to say"
SINCE = pd.DataFrame(
    [
        ("Visits that go on from pay", "journey.touchpoint.pay", "better", 23.0, 19.0, 28.0, "points"),
        ("NPS of pay", "feedback.touchpoint.pay,journey.touchpoint.pay", EARLY, 3.0, -19.0, 28.0, "points"),
    ],
    columns=["label", "speaks_to", "verdict", "difference", "low", "high", "difference_unit"],
)


def test_tiers_then_and_now_with_small_moves_withheld():
    then = customers(["great"] * 20 + ["good"] * 40)
    now = customers(["great"] * 17 + ["good"] * 3 + ["good"] * 25 + ["great"] * 15 + ["indifferent"] * 10)
    frame = moves.moves(then, now).set_index(["then", "now"])["customers"]
    assert frame[("great", "good")] != frame[("great", "good")], "three moved: withheld"
    assert moves.moves(then, now)["then"].iloc[0] == "great", "the best first"
    assert "“good” to “great” 15, 38 % (24–53 %)" in moves.tiers_in_words(moves.moves(then, now))


def test_two_keys_are_told():
    with pytest.raises(UsageError, match="no customer in common"):
        moves.moves(customers(["good"] * 9), customers(["good"] * 9, prefix="x"))
    assert moves.why_not(customers(["good"]), customers(["good"])) == ""
    assert moves.why_not(customers(["good"]), None) == "the later audit has no list of customers"
    with pytest.raises(UsageError, match="the earlier audit lack tier"):
        moves.moves(customers(["good"]).drop(columns="tier"), customers(["good"]))


def test_what_figures_behind_findings_did():
    found = figures(("a.b", "better"), ("c.d", "worse"), ("e.f", "too early to say"), ("g.h", "not compared"))
    assert moves.measured(["a.b"], found) == ("better", "Figure a.b +5 points (1.00–9.00)")
    assert moves.measured(["a.b", "c.d"], found)[0] == "better and worse"
    assert moves.measured(["e.f"], found) == ("too early to say", "")
    assert moves.measured(["g.h"], found) == ("not measured", "")
    assert moves.measured(["", "nobody"], found) == ("not measured", "")
    assert moves.measured(["journey.touchpoint.pay"], found, SINCE) == (
        "better", "Visits that go on from pay +23 points (19.0–28.0)")  # fmt: skip


def items(*rows):
    return pd.DataFrame(rows, columns=["item", "statement", "quadrant", "evidence"])


def test_items_are_solved_only_where_a_figure_shows_it():
    then = items(
        ("journey.touchpoint.pay", "Payment loses visits", "weakness", "journey.touchpoint.pay"),
        ("said.1", "Nobody answers the phone", "weakness", ""),
        ("c.d", "Parcels late", "weakness", "c.d"),
        ("x.y", "Loyal customers", "strength", "x.y"),
        ("e.f", "Slow help", "weakness", "e.f"),
        ("said.2", "Known brand", "strength", None),
    )
    now = items(
        ("c.d", "Parcels late", "weakness", "c.d"),
        ("x.y", "Loyal customers leave", "weakness", "x.y"),
        ("new.one", "Search finds nothing", "weakness", "search.nothing_found"),
        ("said.2", "Known brand", "strength", None),
    )
    frame = moves.items_since(then, now, figures(("c.d", "worse"), ("e.f", "too early to say")), SINCE)
    assert dict(zip(frame["item"], frame["status"], strict=True)) == {
        "journey.touchpoint.pay": "solved",
        "c.d": "still open",
        "said.1": "no longer found",
        "e.f": "no longer found",
        "new.one": "new",
        "x.y": "turned",
        "said.2": "still there",
    }
    assert frame["item"].iloc[0] == "journey.touchpoint.pay", "the good news first"
    assert frame.set_index("item").loc["c.d", "measured"] == "worse"
    assert moves.items_in_words(frame) == [
        "Items of the SWOT: 1 solved, 1 still open, 2 no longer found, 1 new, 1 turned, 1 still there.",
        "Solved: Payment loses visits (Visits that go on from pay +23 points (19.0–28.0)).",
    ]
    assert moves.items_in_words(moves.items_since(None, None, figures())) == [
        "No SWOT items of either audit can be compared."
    ]


def test_an_item_that_turned_by_its_target_says_so():
    then = items(("c.d", "Few order again", "weakness", "c.d"), ("e.f", "Slow help", "weakness", "e.f"))
    now = items(("c.d", "Many order again", "strength", "c.d"), ("e.f", "Slow help", "weakness", "e.f"))
    told = "the client's target was 40 %, is 20 %"
    changed = figures(("c.d", "too early to say"), ("e.f", "too early to say")).assign(why=[f"other; {told}", ""])
    frame = moves.items_since(then, now, changed).set_index("item")
    assert list(frame["status"]) == ["still open", "judged otherwise than then"]
    assert frame.loc["c.d", "why"].endswith(told)
    assert "other" not in frame.loc["c.d", "why"]
    assert frame.loc["e.f", "why"] == ""


def test_what_came_or_went_with_a_new_definition_is_neither_new_nor_gone():
    rows = (("c.d", "Few order again", "weakness", "c.d"), ("e.f", "Slow help", "weakness", "e.f"))
    why = ["its definition changed: it was “… of those.”, is “… of them.”", ""]
    changed = figures(("c.d", "not compared"), ("e.f", "not compared")).assign(why=why)
    for then, now in ((items(*rows), items()), (items(), items(*rows))):
        frame = moves.items_since(then, now, changed).set_index("item")
        assert frame.loc["c.d", "status"] == "judged otherwise than then"
        assert frame.loc["e.f", "status"] in ("new", "no longer found")


def test_an_audit_without_a_plan_had_no_actions_to_look_at():
    none = moves.actions_since(None, figures())
    assert moves.actions_in_words(none, asked=False)[0].startswith(
        "The earlier audit made no plan (10_swot was not run)"
    )
    assert moves.actions_in_words(none)[0].startswith("The earlier audit has no actions")


def test_actions_by_what_their_measure_did():
    then = pd.DataFrame(
        {
            "action": ["Mend the payment page.", "Call back", "Train"],
            "owner": ["Ira", None, "Oleh"],
            "measure": ["journey.touchpoint.pay", None, "e.f"],
            "due": ["2026-05-01", None, None],
        }
    )
    frame = moves.actions_since(then, figures(("e.f", "too early to say")), SINCE)
    assert list(frame["measured"]) == ["better", "not measured", "too early to say"]
    assert list(frame.columns) == list(moves.ACTIONS)
    assert moves.actions_in_words(frame) == [
        "Measures of the 3 actions of the earlier audit: 1 better, 1 not measured, 1 too early to say.",
        "Mend the payment page: Visits that go on from pay +23 points (19.0–28.0).",
    ]
    assert moves.actions_in_words(moves.actions_since(None, figures()))[0].startswith(
        "The earlier audit has no actions"
    )


def test_a_kept_table_or_none(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "10_swot.items.csv").write_text("item,statement,quadrant\n1,'=x,weakness\n")
    assert moves.kept(tmp_path, "10_swot.items").iloc[0].tolist() == ["1", "=x", "weakness"]
    assert moves.kept(tmp_path, "10_swot.actions") is None
    assert moves.kept(None, "10_swot.items") is None
