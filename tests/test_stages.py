import pandas as pd
import pytest

from cxkit.errors import UsageError
from cxkit.stages import GOAL, name_key, read_stages, strangers, touchpoint_map, with_stage

OURS = """
stages:
  - {stage: look, name: Look, question: looks, path: main, touchpoints: [home]}
  - {stage: buy, name: Buy, question: buys, path: main, weights: {small: 2}, touchpoints: [order_placed]}
"""


def sheet(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["touchpoint", "stage", "parent"])


def test_the_five_buying_stages_are_those_of_the_article():
    stages = read_stages()
    assert list(stages.loc[stages["origin"] == "S2c", "stage"]) == [
        "need", "information", "comparison", "choice", "evaluation",
    ]  # fmt: skip
    assert list(stages.loc[stages["path"] == "aside", "stage"]) == ["support", "return"]
    # S2c: a small shop minds the first stages, a middle one what keeps customers, a large one none in particular
    assert stages.set_index("stage").loc["need", ["weight_small", "weight_medium"]].tolist() == [1.5, 1.0]
    assert stages.set_index("stage").loc["delivery", ["weight_small", "weight_medium"]].tolist() == [1.0, 1.5]
    assert (stages["weight_large"] == 1).all()


def test_the_touchpoints_that_articles_name_have_a_stage_of_their_own():
    """S1: a question in the chat, the app downloaded, the newsletter, a loyalty discount; S2c's usual chain."""
    known = touchpoint_map().set_index("touchpoint")["stage"]
    assert known[["chat_question", "app_download", "newsletter_signup", "loyalty_discount"]].tolist() == [
        "support", "information", "need", "choice",
    ]  # fmt: skip
    assert known[["banner", "main_page", "callback", "phone"]].tolist() == ["need", "need", "support", "support"]


def test_a_client_replaces_the_stages(tmp_path):
    path = tmp_path / "stages.yml"
    path.write_text(OURS, encoding="utf-8")
    stages = read_stages(path)
    assert list(stages["stage"]) == ["look", "buy"]
    assert stages["weight_small"].tolist() == [1.0, 2.0]
    assert set(touchpoint_map(path)["touchpoint"]) == {"home", GOAL}


def test_spellings_of_one_name_are_one():
    assert {name_key(n) for n in ("Payment page", "payment-page", " PAYMENT_PAGE ")} == {"payment_page"}
    assert name_key("Сторінка Оплати") == "сторінка_оплати"


def test_the_sheet_goes_before_the_file():
    mapped = touchpoint_map(sheet=sheet(("Cart", "comparison", "site"), ("vitrine", "Need", None)))
    mapped = mapped.set_index("key")
    assert mapped.loc["cart", ["stage", "parent", "mapped_by"]].tolist() == ["comparison", "site", "sheet"]
    assert mapped.loc["vitrine", "stage"] == "need"
    assert mapped.loc["faq", ["stage", "mapped_by"]].tolist() == ["information", "stages"]
    assert mapped.index.is_unique


def test_what_exports_call_the_order_is_the_order():
    assert touchpoint_map().set_index("key").loc["purchase", "canonical"] == GOAL
    assert (
        touchpoint_map(sheet=sheet(("Purchase", "payment", None))).set_index("key").loc["purchase", "canonical"] == GOAL
    )


def test_the_logs_own_touchpoints_keep_their_names():
    mapped = touchpoint_map(sheet=sheet(("Support", "support", None), ("Order placed", "choice", None))).set_index(
        "key"
    )
    assert mapped.loc[["support", "order_placed"], "canonical"].tolist() == ["support", GOAL]
    assert mapped.loc["order_placed", "stage"] == "choice"


def test_faults_of_the_sheet_are_told_together():
    with pytest.raises(UsageError) as error:
        touchpoint_map(sheet=sheet(("cart", "buying", None), ("site", "need", "page"), ("page", "need", "site")))
    text = str(error.value)
    assert "touchpoint 'cart' has the stage 'buying'" in text
    assert "touchpoint 'site' lies within itself" in text
    assert "Valid stages are need, information" in text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((OURS, "stages: 3"), "holds no list `stages`"),
        ((OURS, "stages: [\x00"), "is plain YAML"),
        (("path: main, touchpoints: [home]", "path: up"), "write main or aside"),
        (("stage: look", "stage: Look out"), "small letters, digits and _"),
        (("stage: look", "stage: buy"), "stands there twice"),
        (("small: 2", "tiny: 2"), "for small, medium, large; found {'tiny': 2}"),
        (("small: 2", "small: -1"), "weights are above 0"),
        (("[order_placed]", "[Home]"), "the touchpoint 'Home' stands in 'look' and in 'buy'"),
        (("question: looks, ", ""), "lacks question"),
        (("stages:", "order_placed: purchase\nstages:"), "order_placed is a list of names"),
        (("stages:", "stage: []\nstages:"), "unknown keys: stage"),
        (("weights", "weigth"), "unknown key 'weigth'"),
    ],
)
def test_faults_of_the_file_are_told(tmp_path, change, told):
    path = tmp_path / "stages.yml"
    path.write_text(OURS.replace(*change), encoding="utf-8")
    with pytest.raises(UsageError) as error:
        touchpoint_map(path)
    assert told in str(error.value)
    assert str(path) in str(error.value)


def test_what_people_write_finds_its_stage():
    frame = with_stage(pd.DataFrame({"touchpoint": ["Payment page", "zoo"]}), touchpoint_map())
    assert frame["stage"].tolist()[0] == "payment"
    assert frame["stage"].isna().tolist() == [False, True]


def test_scores_of_what_nobody_met_are_told():
    scored = pd.DataFrame({"touchpoint": ["Payment page", "paymentpage", "courier", "nowhere"]})
    mapped = touchpoint_map(sheet=sheet(("Courier", "delivery", None)))
    assert strangers(scored, mapped, ["payment_page", "home"]) == ["nowhere", "paymentpage"]
