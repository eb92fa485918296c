"""Times to answer and solution, the open ones counted in; promises kept, broken and not yet due."""

from datetime import datetime

import hand_service as hand
import numpy as np
import pandas as pd
import pytest

from cxkit.waiting import (
    ALL,
    PRACTICE,
    TIMES,
    describe_in_time,
    describe_waits,
    in_time_by_channel,
    in_time_finding,
    in_time_share,
    not_yet_due,
    plot_waits,
    practices,
    promised,
    promises_in_words,
    short_in_words,
    span_text,
    strange_times,
    time_text,
    times_shown,
    waiting_times,
    waits,
    waits_in_words,
)

UNTIL = datetime(2025, 6, 30, 21)


def desk(hours: list, *, channel: str = "chat", opened: str = "2025-06-01 12:00", promise: float = 4.0) -> pd.DataFrame:
    """Contacts answered after so many hours (None: not yet), solved a day later."""
    start = pd.Timestamp(opened)
    answered = pd.to_datetime([pd.NaT if h is None else start + pd.Timedelta(hours=h) for h in hours])
    return pd.DataFrame(
        {"opened_at": start, "customer_id": [f"{channel}{i}" for i in range(len(hours))], "channel": channel,
         "first_answer_at": answered, "solved_at": answered + pd.Timedelta(days=1),
         "promised_answer_at": start + pd.Timedelta(hours=promise),
         "promised_solution_at": start + pd.Timedelta(hours=48)}
    )  # fmt: skip


def test_quartiles_by_hand():
    found = waits(hand.contacts(desk([1, 2, 3, 4, 5, 6, 7, 8])), until=UNTIL)
    assert found[found["step"] == "answer"]["minutes"].tolist() == [60, 120, 180, 240, 300, 360, 420, 480]
    times = waiting_times(found)
    answer, solution = times.itertuples(index=False)
    assert (answer.step, answer.channel) == ("answer", ALL)
    assert (answer.quarter, answer.value, answer.three_quarters) == (2, 4, 6)
    assert (solution.value, solution.n, solution.open) == (28, 8, 0)
    assert waits_in_words(times)[0].startswith("Half of contacts have their first answer after 4.0 hours (")
    shown = times_shown(times)
    assert shown["half"].tolist() == ["4.0 hours", "28 hours"]
    assert shown["step"].tolist() == ["first answer", "solution"]


def test_the_open_ones_are_counted_in_and_not_left_out():
    hours = [1, 2, 3, 4] + [None] * 4
    times = waiting_times(waits(hand.contacts(desk(hours)), until=UNTIL))
    answer = times.iloc[0]
    assert (answer["n"], answer["open"]) == (8, 4)
    assert answer["value"] == 4  # half of eight; of those answered alone it would be two
    assert np.isnan(answer["three_quarters"])


def test_none_answered_is_too_early_to_say():
    times = waiting_times(waits(hand.contacts(desk([None] * 9)), until=UNTIL))
    assert waits_in_words(times)[0].startswith("How long customers wait for the first answer is too early to say: it ")
    assert "nothing to show yet" in [t.get_text() for t in plot_waits(times).texts]


def test_answers_after_the_last_day_are_not_known_yet():
    late = desk([1, 2, 3, 4, 600 + 24 * 20])
    found = waits(hand.contacts(late), until=UNTIL)
    answer = found[found["step"] == "answer"]
    assert answer["done"].tolist() == [True, True, True, True, False]
    assert answer["minutes"].iloc[-1] == (pd.Timestamp(UNTIL) - pd.Timestamp("2025-06-01 12:00")).total_seconds() // 60


def test_answers_before_the_question_are_counted_and_left_out():
    contacts = hand.contacts(desk([-2, 1, 2, 3, 4, 5]))
    assert strange_times(contacts) == {"answer": 1}
    assert waits(contacts, until=UNTIL).query("step == 'answer'")["contacts"].sum() == 5
    assert strange_times(hand.contacts(desk([1]))) == {}


def test_channels_stand_below_all_and_the_slow_one_is_named():
    rows = pd.concat([desk([0.1] * 200), desk([5.0] * 100, channel="email")])
    times = waiting_times(waits(hand.contacts(rows), until=UNTIL))
    assert times["channel"].tolist() == [ALL, "chat", "email"] * 2
    assert (
        waits_in_words(times)[0].endswith("; by email after 5.0 hours (5.0 to 5.0 hours).")
        or "; by email" in (waits_in_words(times)[0])
    )
    ax = plot_waits(times)
    ax.figure.canvas.draw()
    assert [t.get_text() for t in ax.get_yticklabels()] == [ALL, "chat", "email"]
    assert "by email" in describe_waits(times)


def test_practices_of_the_article_by_hand():
    frame = practices(waits(hand.contacts(desk([1, 5, 7, 30])), until=UNTIL))
    assert frame["within_hours"].tolist() == [6, 24, 48]
    assert frame["value"].tolist() == pytest.approx([0.5, 0.75, 0.75])
    assert (frame["low"] < frame["value"]).all()
    every = practices(waits(hand.contacts(desk([1, 2, 3])), until=UNTIL))
    assert every["value"].tolist() == [1.0, 1.0, 1.0]
    assert every["method"].str.startswith("all or none").all()


def test_promises_kept_broken_and_not_due():
    rows = pd.concat([
        desk([1, 3, 5]),  # two kept, one late
        desk([None]),  # open, and long past its time: broken
        desk([None], opened="2025-06-30 20:00"),  # open, due at midnight: left out
        desk([0.5], opened="2025-06-30 20:00"),  # answered before it was due
        desk([2], opened="2025-06-30 20:00"),  # answered after the last day: not known
    ])  # fmt: skip
    known = promised(hand.contacts(rows), step="answer", until=UNTIL)
    share = in_time_share(known)
    assert (share.value, share.n) == (3 / 5, 5)
    assert not_yet_due(known) == 2
    assert promises_in_words(share, step="answer", left_out=2).endswith("2 open ones are not due yet and left out.")
    finding = in_time_finding(share, step="answer")
    assert finding.id == "service.answered_in_time"
    assert finding.sentence().startswith("60 % of contacts are answered by the time that was promised (")
    assert finding.quadrant() == "no reference"
    assert finding.evidence == ("in_time",)  # the table and the picture that the page keeps
    assert in_time_finding(share, step="solution").id == "service.solved_in_time"


def test_without_columns_rows_or_promises():
    bare = hand.contacts(desk([1, 2, 3, 4, 5]).drop(columns=["first_answer_at", "solved_at", "channel"]))
    found = waits(bare, until=UNTIL)
    assert not len(found)
    assert list(waiting_times(found).columns) == list(TIMES)
    assert list(practices(found).columns) == list(PRACTICE)
    told = ["How long customers wait cannot be told: it is known of fewer than 5 contacts."]
    assert waits_in_words(waiting_times(found)) == told
    few = waits(hand.contacts(desk([1, 2, 3, 4])), until=UNTIL)
    assert waits_in_words(waiting_times(few)) == told
    assert not in_time_share(promised(bare, step="answer", until=UNTIL)).known
    none = hand.contacts(desk([1]).assign(promised_answer_at=pd.NaT))
    share = in_time_share(promised(none, step="answer", until=UNTIL))
    assert promises_in_words(share, step="answer") == (
        "Whether contacts are answered in time is too early to say: nothing to count."
    )
    empty = hand.contacts(desk([1])).limit(0)
    assert not len(waiting_times(waits(empty, until=UNTIL)))
    assert describe_waits(waiting_times(waits(empty, until=UNTIL)))


@pytest.mark.parametrize(
    ("hours", "text"),
    [(0.001, "0 minutes"), (1 / 60, "1 minute"), (0.4, "24 minutes"), (1, "1.0 hours"), (20, "20 hours"),
     (47.9, "48 hours"), (48, "2.0 days"), (480, "20 days"), (np.nan, "–"), (np.inf, "–")],
)  # fmt: skip
def test_times_in_words(hours, text):
    assert time_text(hours) == text


def test_spans_in_words():
    assert span_text(0.4, 0.4) == "24 minutes"
    assert span_text(0.4, 0.5) == "24 to 30 minutes"
    assert span_text(0.5, 5) == "30 minutes to 5.0 hours"
    assert span_text(5, np.inf) == "at least 5.0 hours"
    assert span_text(np.nan, np.inf) == "–"


def test_channels_that_break_their_promise_are_told():
    rows = pd.concat([desk([1, 2, 3, 5] * 15), desk([6, 7, 3, 5] * 15, channel="email")])
    answers, solutions = (promised(hand.contacts(rows), step=step, until=UNTIL) for step in ("answer", "solution"))
    frame = in_time_by_channel(answers, solutions)
    assert frame["aspect"].tolist() == ["answered in time"] * 2 + ["solved in time"] * 2
    assert frame["verdict"].tolist()[:2] == ["more", "less"]
    assert frame["value"].tolist()[:2] == [0.75, 0.25]
    text = short_in_words(frame)
    assert text.startswith(
        "What falls short for certain (2 comparisons together): by email 25 % are answered in time ("
    )
    assert "elsewhere 75 %" in text
    assert describe_in_time(frame).endswith(text)
    assert short_in_words(frame[2:].assign(verdict="not told apart")) == (
        "No channel falls short of the promised time for certain, of 2 comparisons together."
    )
    none = in_time_by_channel(answers.drop("channel"), solutions.drop("channel"))
    assert not len(none)
    assert short_in_words(none).endswith("is too early to say: too few customers to compare.")
