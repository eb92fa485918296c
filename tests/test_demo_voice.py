"""What is planted in the made-up client's voice is what the kit hears; nothing where nothing is planted."""

import pytest
from study import load_study

from cxkit import cancellations, delivery_promises, expectations, queries, response, search, service, shares_apart
from cxkit.feedback import asked

ZONE = "Europe/Kyiv"


@pytest.fixture(scope="module")
def study():
    """The study's functions: its 400 clients are drawn by `make study`, two others here."""
    return load_study("voice_power")


@pytest.fixture(scope="module")
def made(study):
    return study.draw(study.scenario_plan("default"), seed=1)


@pytest.fixture(scope="module")
def tables(study, made):
    return study.client(made)


@pytest.fixture(scope="module")
def log(study, tables):
    return study.search_log(tables)


def test_the_three_goods_that_are_not_offered_are_missing_and_nothing_else(study, made, log):
    topics = made["queries"].drop_duplicates("text").set_index("text")["topic"].astype(str)
    missing, _ = study.heard(log, topics)
    assert set(missing["topic"]) == set(study.GOODS)
    assert {"біговел / беговел дитячий", "laktator", "baby monitor"} <= set(missing["name"]), "each in its language"
    assert missing["orders_low"].iloc[0] > 0, "visits that find something end with an order oftener"


def test_shares_of_the_search_are_the_planted_ones(made, log):
    """Topics without goods find nothing, and 3 of 100 other queries, which are misspelt."""
    found = search.shares(queries.outcome_sums(log)).set_index("measure")
    truth = (made["queries"]["results"] == 0).mean()
    assert found.loc["nothing_found", "value"] == pytest.approx(truth, abs=1e-9)
    assert found.loc["nothing_found", "low"] < truth < found.loc["nothing_found", "high"]
    clicked = made["queries"].loc[made["queries"]["results"] > 0, "clicked"].mean()
    assert found.loc["no_click", "value"] == pytest.approx(1 - clicked, abs=1e-9)


def test_the_one_growing_reason_grows(study, tables):
    from cxkit.contact_reasons import reason_trends

    trends = reason_trends(tables["contacts"], tables["orders"], as_of=study.AS_OF).set_index("reason")
    assert list(trends.index[trends["verdict"] == "grows"]) == [study.GROWING]
    assert trends.loc[study.GROWING, "last"] > 2 * trends.loc[study.GROWING, "first"]
    every = service.contact_trend(service.contact_rates(tables["contacts"], tables["orders"], as_of=study.AS_OF))
    assert every["verdict"].iloc[0] == "grows"


def test_the_two_weak_touchpoints_are_lower_in_every_score(study, tables):
    differences = study.asked(tables)
    lower = differences[(differences["about"] == "touchpoint") & (differences["reading"] == "lower")]
    assert set(zip(lower["name"], lower["metric"], strict=True)) == {
        (name, metric) for name in study.WEAK for metric in ("nps", "csat", "ces")
    }


def test_an_answer_for_a_discount_is_higher(study, tables, made):
    effect = response.incentive_effect(asked(tables["surveys"], scales=study.SCALES)).set_index("metric")
    assert (effect["reading"] == "higher").all()
    rates = response.response_rates(tables["invitations"], tables["surveys"], as_of=study.AS_OF)
    whole = response.response_rate(rates)
    after = made["answers"]["survey"].nunique() / len(made["invited"])
    assert whole.low < after < whole.high


def test_delivery_alone_falls_short_of_what_was_expected(study, tables):
    scales = study.SCALES | {"csi_item": (1, 5), "expectation": (1, 5)}
    gaps = expectations.gaps(expectations.item_answers(tables["surveys"]), scales).set_index("item")
    assert list(gaps.index[gaps["high"] < 0]) == ["delivery"]
    assert gaps.loc["delivery", "low"] < -0.6


def test_couriers_are_late_and_clothes_and_shoes_come_back(study, tables):
    placed = delivery_promises.promised_orders(tables["orders"], as_of=study.AS_OF, zone=ZONE)
    late = delivery_promises.late_by(placed)
    late = late[late["aspect"] == "delivery"].set_index("name")
    assert list(late.index[late["verdict"] == "more"]) == ["courier"]
    assert late.loc["courier", "low"] < 0.30 < late.loc["courier", "high"]
    lines = cancellations.sold_lines(tables["orders"], as_of=study.AS_OF)
    back = shares_apart.shares_apart(lines, part="sent_back", aspects={"category": "category"}).set_index("name")
    assert set(back.index[back["verdict"] == "more"]) == {"Shoes", "Clothes"}


def test_half_of_the_cancelled_orders_lack_their_goods_and_are_tried_again(study, tables):
    placed = cancellations.all_orders(tables["orders"], as_of=study.AS_OF)
    reasons = cancellations.cancel_reasons(placed)
    assert reasons["name"].iloc[0] == "out of stock"
    assert reasons["low"].iloc[0] < 0.42 < reasons["high"].iloc[0]
    assert cancellations.tried_again_share(placed).value > 0.9
    share = cancellations.cancelled_share(placed)
    assert share.low < 0.05 < share.high


def test_nothing_is_heard_where_nobody_speaks(study):
    """Goods are missing here too; else all is alike. Themes: the study alone, they take their time."""
    made = study.draw(study.scenario_plan("null"), seed=2)
    tables = study.client(made)
    from cxkit.contact_reasons import reason_trends

    trends = reason_trends(tables["contacts"], tables["orders"], as_of=study.AS_OF)
    assert not trends["verdict"].isin(["grows", "falls"]).any()
    assert not study.asked(tables)["reading"].isin(["lower", "higher"]).any()
    effect = response.incentive_effect(asked(tables["surveys"], scales=study.SCALES))
    assert not effect["reading"].isin(["lower", "higher"]).any()
