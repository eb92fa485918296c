"""A small shop whose customers write what should not be written: for the tests of the customers' voice.

Sixty customers order twice; they answer two surveys in one file, one of them on another scale than client.yml declares;
they write formulas, scripts, links, addresses and numbers of their own; robots search.
"""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path

import yaml

from cxkit.client import Client, load_client

PERSONAL = (
    "olena.k@shop.com.ua",
    "jan (at) poczta.pl",
    "+380 67 123 45 67",
    "067-123-45-67",
    "+48 600 700 800",
    "600 700 801",
    "+44 20 7946 0958",
    "PL61 1090 1014 0000 0712 1981 2874",
    "UA213223130000026007233566001",
    "4111 1111 1111 1111",
)
HOSTILE = (
    "<script>alert('delivery')</script> посилка запізнилась",
    "[посилка](javascript:alert(1)) запізнилась",
    '=HYPERLINK("http://evil.example";"посилка")',
    "<img src=x onerror=alert(1)> доставка",
    "@SUM(1+1) доставка",
    "|cmd|' /C calc'!A0",
)
EMOJI = ("🎉🎉🎉", "👍🏽", "❤️", "😡😡", "…", "   ")
PLAIN = (
    "Доставка запізнилась на три дні",
    "Посилка прийшла пом'ята",
    "Дуже швидка доставка, дякую",
    "Paczka przyszła po terminie",
    "Szybka dostawa i dobra cena",
    "The parcel came late again",
    "Great price and quick delivery",
)
MEGABYTE = "доставка late " * 53_000 + "посилка olena.k@shop.com.ua"  # 1.3 MB in UTF-8
ROBOT, ROBOT_QUERIES = "crawler-1", 600
BEGIN = datetime(2025, 7, 1, 9)
COLUMNS = {
    "orders": "order_id customer_id ordered_at amount category delivery promised_at delivered_at status reason",
    "surveys": "answered_at metric score survey_id customer_id order_id touchpoint comment incentive",
    "reviews": "written_at rating text customer_id",
    "contacts": "contact_id opened_at customer_id order_id channel reason text first_answer_at solved_at"
    " promised_answer_at promised_solution_at cost",
    "searches": "searched_at query session_id customer_id results clicked device",
    "events": "session_id customer_id occurred_at touchpoint order_id",
    "catalogue": "product_id product category",
}
SCALES = {"nps": [0, 10], "csat": [1, 5], "ces": [1, 7], "rating": [1, 5]}


def comments(number: int) -> list[str]:
    """What the answers say, in turn: hostile texts, personal ones, emoji, plain ones."""
    personal = [f"Доставка: пишіть мені {secret}, дякую" for secret in PERSONAL]
    said = [text for four in zip(HOSTILE * 9, personal * 6, EMOJI * 9, PLAIN * 8, strict=False) for text in four]
    return [said[i % len(said)] for i in range(number)]


def day(n: float) -> str:
    """The n-th day as the exports write it."""
    return (BEGIN + timedelta(days=n)).strftime("%Y-%m-%d %H:%M:%S")


def orders() -> list[list]:
    rows = []
    for n in range(120):
        at = 3 * n
        state, why = ("cancelled", HOSTILE[n % 6]) if n % 10 == 3 else ("completed", "")
        rows.append([f"O{n}", f"c{n % 60}", day(at), 100 + n, ("Toys", HOSTILE[0], "=1+1")[n % 3],
                     ("courier", "=post")[n % 2], day(at + 2), day(at + 1 + n % 4), state, why])  # fmt: skip
    return rows


def surveys() -> list[list]:
    """120 answers on the declared scales, one of 11, sixty of a second survey on a scale that ends at 5."""
    said = comments(180)
    rows = []
    for n in range(120):
        metric, score = ("nps", (n * 7) % 11) if n % 2 else ("csat", 1 + n % 5)
        about = ("delivery", "support", HOSTILE[n % 2])[n % 3]
        rows.append([day(3 * n + 2), metric, score, "A", f"c{n % 60}", f"O{n}", about, said[n], n % 4 == 0])
    rows.append([day(100), "nps", 11, "A", "c7", "O7", "delivery", "Пишіть на olena.k@shop.com.ua", False])
    for n in range(60):
        rows.append([day(200 + n), "nps", 1 + n % 5, "B <script>", f"c{n}", f"O{n}", "delivery", said[120 + n], False])
    rows[5][7] = MEGABYTE
    return rows


def reviews() -> list[list]:
    return [[day(5 * n), 1 + n % 5, text, f"c{n}"] for n, text in enumerate(comments(50))]


def contacts() -> list[list]:
    rows = []
    for n, text in enumerate(comments(150)):
        at = 2.4 * n
        solved = day(at + 1 + n % 3) if n % 7 else ""
        rows.append([f"T{n}", day(at), f"c{n % 60}", f"O{n % 120}", ("chat", "=phone")[n % 2],
                     ("late parcel", HOSTILE[0], "+1+1")[n % 3], text, day(at + 0.1), solved, day(at + 0.2),
                     day(at + 2), 20])  # fmt: skip
    return rows


def searches() -> list[list]:
    """Sixty visits of people, each with four queries; one of a robot with hundreds."""
    asked = (
        *HOSTILE,
        *PERSONAL,
        "🎉🎉🎉",
        "коляска",
        "коляски",
        "каляска",
        "біговел",
        "balance bike",
        "wózek",
        "к" * 5000,
    )
    rows = []
    for n in range(60):
        for i in range(4):
            query = asked[(n // 10 * 4 + i) % len(asked)]
            finds = 0 if query in ("біговел", "balance bike", *HOSTILE) else 12
            at = day(6 * n + i / 1440)
            rows.append([at, query, f"v{n}", f"c{n}", finds, finds > 0 and i == 0, "mobile"])
    at = day(90)
    robot = [[at, f"cheap pills {n}", ROBOT, "", 0, False, "desktop"] for n in range(ROBOT_QUERIES)]
    return rows + robot


def events() -> list[list]:
    return [[f"v{n}", f"c{n}", day(6 * n + 0.01), "order_placed", f"O{n}"] for n in range(0, 60, 3)]


def catalogue() -> list[list]:
    return [["P1", "Коляска прогулянкова", "Коляски"], ["P2", HOSTILE[0], "=1+1"], ["P3", "Wooden blocks", "Toys"]]


MAKERS = {
    "orders": orders, "surveys": surveys, "reviews": reviews, "contacts": contacts, "searches": searches,
    "events": events, "catalogue": catalogue,
}  # fmt: skip


def loud_client(folder: Path, *, leave_out: tuple[str, ...] = (), **changed: list[list]) -> Client:
    """The shop in a folder; `changed` takes the place of a table's rows, `leave_out` names tables it has not."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {}
    for name, make in MAKERS.items():
        if name in leave_out:
            continue
        names = COLUMNS[name].split()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([names, *changed.get(name, make())])
        (folder / f"{name}.csv").write_text(text.getvalue(), encoding="utf-8", newline="\n")
        tables[name] = {"path": f"{name}.csv", "columns": {n: n for n in names}, "max_refused_share": 0.2}
    settings = {"client": "Loud <script>", "currency": "UAH", "time_zone": "Europe/Kyiv", "as_of": "2026-06-30"}
    settings |= {"scales": SCALES, "tables": tables}
    text = yaml.safe_dump(settings, allow_unicode=True, sort_keys=False)
    (folder / "client.yml").write_text(text, encoding="utf-8")
    return load_client(folder / "client.yml")
