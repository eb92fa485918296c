from datetime import datetime

import pandas as pd
from hand_touches import touches

from cxkit.entries import furthest, usual_steps
from cxkit.stages import GOAL, read_stages

END = datetime(2026, 3, 15)
STAGES = read_stages()


def visit(who: str, *steps: str) -> list[tuple]:
    """One visit, a touch a minute: `product/comparison` is a touchpoint of a stage."""
    return [(who, f"visit of {who}", f"10:{minute:02}", *step.split("/")) for minute, step in enumerate(steps)]


def test_how_far_each_gets_by_hand():
    log = touches(
        visit("anna", "cart", "delivery_page", GOAL) + visit("bo", "cart", GOAL) + visit("celina", "delivery_page")
    )
    frame = furthest(log, steps=["cart", "delivery_page", GOAL], until=END, window_hours=1).to_pandas()
    assert dict(zip(frame["visitor"], frame["level"], strict=True)) == {"anna": 3, "bo": 1}  # bo left a step out


def test_the_usual_steps_lead_from_where_most_are_to_the_order():
    rows = visit("anna", "home/need", "product/comparison", "cart/choice", "payment_page/payment", f"{GOAL}/payment")
    rows += visit("bo", "product/comparison", "reviews/comparison", "cart/choice")
    rows += visit("celina", "product/comparison", "support/support", "wishlist/choice")
    assert usual_steps(touches(rows), stages=STAGES) == ["product", "cart", "payment_page", GOAL]
    shuffled = pd.Series(rows).sample(frac=1, random_state=1).tolist()
    assert usual_steps(touches(shuffled), stages=STAGES) == ["product", "cart", "payment_page", GOAL]


def test_without_an_order_on_a_visit_there_are_no_usual_steps():
    assert usual_steps(touches(visit("anna", "home/need", "product/comparison")), stages=STAGES) == []
    assert usual_steps(touches([]), stages=STAGES) == []


def test_an_order_alone_is_one_step():
    assert usual_steps(touches(visit("anna", f"{GOAL}/payment")), stages=STAGES) == [GOAL]
