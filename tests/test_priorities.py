import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from cxkit import priorities, style
from cxkit.stages import touchpoint_map

LONG = "Сторінка порівняння всіх товарів та їхніх характеристик для немовлят"


@pytest.fixture(autouse=True)
def _theme():
    with mpl.rc_context(style.theme("#0b6e4f")):
        yield
    plt.close("all")


def measured(rows: list[tuple]) -> pd.DataFrame:
    """Rows (touchpoint, measure, scaled, certain) as `performance.performance` gives them."""
    frame = pd.DataFrame(rows, columns=["touchpoint", "measure", "scaled", "certain"])
    return frame.astype({"scaled": float}).assign(
        judged=frame["measure"] != "criteria",
        p=np.where(frame["certain"] == "", 0.5, 0.001),
        said=frame["touchpoint"] + " " + frame["measure"] + " beside the others",
        said_middle=frame["touchpoint"] + " " + frame["measure"] + " beside the middle",
    )


FOUND = measured(
    [
        ("cart", "goes_on", -0.02, "weak"),
        ("product", "goes_on", -0.10, ""), ("product", "csat", 0.10, ""), ("product", "asks", -0.9, ""),
        ("home", "goes_on", 0.05, "strong"),
        ("delivery", "csat", -0.001, ""),
        ("search", "goes_on", -0.02, ""), ("search", "criteria", -0.30, ""),
    ]
)  # fmt: skip
SHEET = pd.DataFrame(
    [("Cart", "choice", 2.0), ("product", "comparison", 5.0), ("home", "need", 4.0)],
    columns=["touchpoint", "stage", "importance"],
)
REMOVAL = pd.DataFrame({"touchpoint": ["product", "cart", "home"], "value": [1.0, 0.25, 0.5]})
MET = pd.DataFrame(
    [("home", "ordered again", -60.0, -70.0, -50.0), ("cart", "ordered again", 40.0, -1.0, 81.0),
     ("delivery", "NPS", -50.0, -60.0, -40.0)],
    columns=["touchpoint", "outcome", "value", "low", "high"],
)  # fmt: skip


def weighed(**settings: object) -> pd.DataFrame:
    stated = {"touchpoint_map": touchpoint_map(sheet=SHEET), "removal": REMOVAL, "met": MET}
    return priorities.weigh(FOUND, **stated | settings)


def test_the_score_by_hand():
    rows = weighed(weights={"comparison": 1.5}).set_index("touchpoint")
    product = rows.loc["product"]
    # the mean of its measures, those above the middle counting nought; contacts are not scored
    assert product["shortfall"] == pytest.approx(0.05)
    assert product["standing"] == pytest.approx(0.0)
    assert (product["stated"], product["derived"], product["importance"]) == (5, 5, 5)
    assert product["score"] == pytest.approx(5 * 0.05 * 1.5)
    assert product["stage_weight"] == 1.5
    assert rows.loc["search", "shortfall"] == pytest.approx(0.16), "criteria count though they are not judged"
    assert rows.loc["search", "importance"] == priorities.MIDDLE, "nobody stated it, nothing derives it"
    # a difference counts by its size where it is told apart from 0, and lowers nothing where it is not
    assert rows.loc["home", "derived"] == pytest.approx(1 + 4 * 0.6)
    assert rows.loc["cart", "derived"] == pytest.approx(1 + 4 * 0.25)
    assert rows.loc["delivery", "derived"] == pytest.approx(1 + 4 * 0.25)
    assert rows.loc["cart", ["stage", "stated"]].tolist() == ["choice", 2.0], "spelt otherwise in the sheet"


def test_weak_for_certain_comes_first_then_the_score():
    rows = weighed()
    assert list(rows["touchpoint"]) == ["cart", "search", "product", "delivery", "home"]
    assert list(rows["rank"]) == [1, 2, 3, 4, 5]
    assert list(rows["certain"]) == ["weak", "", "", "", "strong"]
    first = priorities.priorities(rows, most=2)
    assert list(first["touchpoint"]) == ["cart", "search"]
    assert "home" not in set(priorities.priorities(rows)["touchpoint"]), "it is below the middle in nothing"


def test_a_measure_without_a_scale_is_still_weak():
    found = measured([("cart", "csat", np.nan, "weak"), ("home", "csat", np.nan, "")])
    rows = priorities.weigh(found, touchpoint_map=touchpoint_map())
    assert list(priorities.priorities(rows)["touchpoint"]) == ["cart"]


def test_the_company_size_changes_the_order():
    assert list(weighed(weights={"comparison": 3.0})["touchpoint"])[:3] == ["cart", "product", "search"]


def test_reasons_carry_their_numbers():
    rows = weighed().set_index("touchpoint")["reason"]
    assert rows["cart"] == (
        "Cart goes_on beside the others. Importance 2 of 5 as stated; 25 % of the orders of visits pass it (model)."
    )
    assert rows["search"] == (
        "Not for certain: search criteria beside the middle; search goes_on beside the middle. Importance neither"
        " stated nor derived."
    )
    assert rows["delivery"].startswith("Nothing measured lies 0.5 % of its scale or more below the middle touchpoint.")
    assert "NPS: 50 points lower among those who met it (no experiment)" in rows["delivery"].replace("50.0", "50")


def test_without_importance_and_without_measures():
    bare = priorities.weigh(FOUND, touchpoint_map=touchpoint_map())
    assert (bare["importance"] == priorities.MIDDLE).all()
    none = priorities.weigh(FOUND.iloc[:0], touchpoint_map=touchpoint_map(), removal=REMOVAL, met=MET)
    assert len(none) == 0
    assert list(none.columns) == list(bare.columns)
    assert len(priorities.priorities(none)) == 0


def test_rows_in_any_order_give_the_same():
    stated = {"touchpoint_map": touchpoint_map(sheet=SHEET), "removal": REMOVAL, "met": MET}
    pd.testing.assert_frame_equal(priorities.weigh(FOUND.sample(frac=1, random_state=1), **stated), weighed())


def test_the_surest_measure_is_told_first():
    found = measured([("cart", "csat", -0.2, "weak"), ("cart", "goes_on", -0.1, "weak"), ("home", "csat", 0.0, "")])
    found.loc[1, "p"] = 1e-9
    rows = priorities.weigh(found, touchpoint_map=touchpoint_map())
    assert rows["reason"][0].startswith("Cart goes_on beside the others; cart csat beside the others. ")
    assert priorities.sentences(rows)[0].endswith("Cart goes_on beside the others, and by 1 more measure.")


def test_fields():
    frame = pd.DataFrame({"touchpoint": list("abcd"), "importance": [5, 5, 1, 1], "standing": [-0.1, 0.1, -0.1, 0.0]})
    assert list(priorities.fields(frame)["field"]) == list(priorities.FIELDS)


def scattered(count: int, seed: int = 1, names: list[str] | None = None) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "touchpoint": names or [f"touchpoint_{i}" for i in range(count)],
            "standing": rng.normal(0, 0.05, count),
            "importance": np.clip(rng.normal(3, 0.8, count), 1, 5),
            "certain": rng.choice(["weak", "strong", ""], count, p=[0.1, 0.3, 0.6]),
        }
    )


def overlapping(ax) -> list[tuple[str, str]]:
    ax.figure.canvas.draw()
    renderer = ax.figure.canvas.get_renderer()
    boxes = [(t.get_text(), Text.get_window_extent(t, renderer)) for t in ax.texts]
    return [(a, b) for i, (a, one) in enumerate(boxes) for b, other in boxes[:i] if one.overlaps(other)]


@pytest.mark.parametrize(
    "frame",
    [scattered(1), scattered(12), scattered(40, 2), scattered(60, 3),
     scattered(12, 4, [f"{LONG} {i}" for i in range(12)]), scattered(8, 5).assign(standing=0.0, importance=3.0)],
    ids=["one", "twelve", "forty", "sixty", "long", "one place"],
)  # fmt: skip
def test_no_name_stands_on_another(frame):
    ax = priorities.plot_importance_performance(frame)
    assert overlapping(ax) == []
    written = len(ax.texts) - len(priorities.FIELDS)
    assert written >= min(len(frame), 4)
    missing = len(frame) - written
    said = f"{missing} of {len(frame)} names did not fit"
    assert (said in ax.get_xlabel()) == (missing > 0)
    area = ax.get_window_extent()
    for text in ax.texts:
        box = Text.get_window_extent(text, ax.figure.canvas.get_renderer())
        assert box.x0 >= area.x0 - 1
        assert box.x1 <= area.x1 + 1
        assert text.get_fontsize() >= 9


def test_hostile_names_are_text():
    frame = scattered(2, 1, ["$x_1^2$ & <b>{a}</b>", "\u202eevil\x00"])
    ax = priorities.plot_importance_performance(frame)
    ax.figure.canvas.draw()
    assert r"\$x_1^2\$ & <b>{a}</b>" in [t.get_text() for t in ax.texts]
    assert "\u202e" not in priorities.describe_importance_performance(frame)


def test_nothing_to_show():
    none = weighed().iloc[:0]
    ax = priorities.plot_importance_performance(none)
    assert [t.get_text() for t in ax.texts] == ["nothing to show yet"]
    assert priorities.describe_importance_performance(none).startswith("No touchpoint")


def test_the_description_tells_the_finding():
    told = priorities.describe_importance_performance(weighed())
    assert "Weak for certain: cart." in told
    for field in priorities.FIELDS:
        assert field in told


def test_it_draws_where_it_is_told():
    _, axes = plt.subplots(1, 2, figsize=(11, 5))
    assert priorities.plot_importance_performance(weighed(), ax=axes[1]) is axes[1]
    assert not axes[0].texts


def test_what_follows_is_said_in_words():
    told = priorities.sentences(weighed(), size="small")
    assert told[0] == "“cart” is weak for certain: Cart goes_on beside the others."
    assert told[1] == (
        "Weighed as for a small company: the first stages and support count more (S2c; the weights' numbers are ours)."
    )
    none = priorities.sentences(weighed()[lambda f: f["certain"] != "weak"])
    assert none == ["No touchpoint is weak for certain: every difference could be chance."]
    nothing = priorities.sentences(weighed()[:0])
    assert nothing == ["No touchpoint can be judged: nothing was measured about any of them."]
    many = pd.concat([weighed().head(1)] * 5, ignore_index=True)
    assert priorities.sentences(many)[-1] == "2 more are weak for certain; the table names them."
