"""Dirt over a small export: the same sixty order lines, written in every way that clients' programs write them."""

import gzip
import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import cycle, product

import pandas as pd

LINES = 60
ENCODINGS = {
    "uk": ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251", "koi8-u"),
    "pl": ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1250", "iso-8859-2"),
    "fr": ("utf-8", "cp1252", "latin-1", "mac-roman"),
}
DELIMITERS = (",", ";", "\t", "|")
DECIMALS = (".", ",")
TIMES = ("%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%Y-%m-%dT%H:%M:%S%z")
HEADERS = {
    "uk": ("Номер замовлення", "Клієнт", "Дата", "Сума", "Кількість", "Артикул", "Товар", "Місто"),
    "pl": ("Numer zamówienia", "Klient", "Data zamówienia", "Wartość", "Ilość", "SKU", "Produkt", "Miasto"),
    "fr": ("Numéro de commande", "Client", "Date", "Montant", "Quantité", "Référence", "Produit", "Ville"),
}
GOODS = {
    "uk": ("Підгузки «Їжак», 4 шт", "Дитяча суміш; 800 г", 'Книжка "Ґедзь і їжак"', "М'яч синій", "Візок | літній"),
    "pl": ("Pieluchy „Miś”, duże", "Mleko następne; 800 g", 'Książka "Żółw i jeż"', "Piłka żółta", "Wózek | letni"),
    "fr": ("Couches « Été », 4", "Lait d'été; 800 g", 'Livre "Forêt enchantée"', "Balle bleue", "Siège | auto"),
}  # fmt: skip
CITIES = {
    "uk": ("Київ", "Львів", "Запоріжжя"),
    "pl": ("Łódź", "Kraków", "Świnoujście"),
    "fr": ("Orléans", "Besançon", "Nîmes"),
}
WITHIN = (
    ("\n", "", False, False, ""),
    ("\r\n", " ", True, False, ""),
    ("\r", "\u00a0", False, True, ""),
    ("mixed", "other mark", True, True, ""),
    ("\r\n", "\u00a0", False, True, "gz"),
    ("\n", "other mark", True, False, "zip"),
    ("\r", " ", True, True, "gz"),
    ("mixed", "\u00a0", False, False, "zip"),
    ("\n", "", True, True, ""),
)  # line ends, thousands, line breaks in cells, ragged records, packing
COLUMNS = ("order_id", "customer_id", "ordered_at", "amount", "quantity", "product_id", "product")


@dataclass(frozen=True)
class Dirt:
    """One way to write the export. thousands: what parts them; ragged: a record cut short and one with a cell more;
    preamble: lines above the header; early: no day after the 12th, so that day and month can be mixed up."""

    language: str = "uk"
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    time: str = TIMES[0]
    end: str = "\n"
    thousands: str = ""
    breaks: bool = False
    ragged: bool = False
    preamble: bool = False
    early: bool = False
    packed: str = ""

    @property
    def settings(self) -> dict:
        """What client.yml has to say of such a file."""
        header = HEADERS[self.language]
        plain = self.time in (TIMES[0], TIMES[4])
        return {
            "encoding": "utf-8" if self.encoding == "utf-8-sig" else self.encoding,
            "delimiter": self.delimiter,
            "header": [3 if self.preamble else 1],
            "decimal": self.decimal,
            **({} if plain else {"date_format": [self.time]}),
            "columns": dict(zip(COLUMNS, header, strict=False)),
        }


def lines(dirt: Dirt, *, prefix: str) -> list[dict]:
    """The order lines as they are meant: what the canonical table has to hold."""
    rows = []
    for n in range(LINES):
        day = n % 12 if dirt.early else n % 28
        when = datetime(2024, 1 + n % (12 if not dirt.early else 9), 1 + day, 8 + n % 12, (7 * n) % 60)
        good = GOODS[dirt.language][n % 5]
        rows.append(
            {
                "order_id": f"{prefix}-{1001 + n // 2}",
                "customer_id": f"K{n // 4:03d}",
                "ordered_at": when,
                "amount": round(1234.5 + 10 * n, 2) if n % 3 else 0.05 + n,
                "quantity": 1 + n % 3,
                "product_id": f"A{n:02d}",
                "product": _told(good, dirt.encoding) + ("\nnew" if dirt.breaks and n % 7 == 3 else ""),
                "city": CITIES[dirt.language][n % 3],
            }
        )
    return rows


def write(dirt: Dirt, *, prefix: str) -> bytes:
    """The export in its bytes."""
    records = [list(HEADERS[dirt.language])] + [
        [
            row["order_id"],
            row["customer_id"],
            _time(row["ordered_at"], dirt.time),
            _number(row["amount"], dirt),
            str(row["quantity"]),
            row["product_id"],
            row["product"],
            row["city"],
        ]
        for row in lines(dirt, prefix=prefix)
    ]
    if dirt.ragged:
        records[20:20] = [[f"{prefix}-9", "K1"]]
        records[30:30] = [[*records[30], "x"]]
    ends = cycle(("\n", "\r\n") if dirt.end == "mixed" else (dirt.end,))
    above = [["Report 2024"], ["shop"]] if dirt.preamble else []
    text = "".join(
        dirt.delimiter.join(_cell(cell, dirt) for cell in record) + next(ends) for record in (*above, *records)
    )
    raw = text.encode(dirt.encoding)
    if dirt.packed == "gz":
        return gzip.compress(raw, mtime=0)
    if dirt.packed == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{prefix}.csv", raw)
        return out.getvalue()
    return raw


def canonical(dirt: Dirt, *, prefix: str) -> pd.DataFrame:
    """The kept lines by order and product; times in UTC."""
    rows = pd.DataFrame(lines(dirt, prefix=prefix)).drop(columns=["city", "customer_id"])
    local = pd.DatetimeIndex(rows.ordered_at).tz_localize("Europe/Kyiv")
    rows["ordered_at"] = local.tz_convert("UTC").tz_localize(None).astype("datetime64[us]")
    rows["amount"] = rows.amount.round(4)
    rows["quantity"] = rows.quantity.astype("float64")
    return rows.sort_values(["order_id", "product_id"], ignore_index=True)


def combinations() -> Iterator[tuple[Dirt, ...]]:
    """Files that are read together, nine at a time: every encoding with one delimiter, those of one byte a letter with
    two, in turn with every decimal mark, way to write times, and lines above the header; within nine: line ends,
    thousands, line breaks in cells, ragged records, packing."""
    used: Counter[str] = Counter()
    for place, (language, encoding) in enumerate((k, e) for k, some in ENCODINGS.items() for e in some):
        other = () if encoding.startswith("utf") else (DELIMITERS[(place + 2) % 4],)
        for delimiter in (DELIMITERS[place % 4], *other):
            turn, own = used[delimiter], DELIMITERS.index(delimiter)
            used[delimiter] += 1
            whole = Dirt(
                language,
                encoding,
                delimiter,
                DECIMALS[(turn + turn // 5) % 2],
                TIMES[(turn + own) % 5],
                preamble=(turn // 2 + own) % 2 == 1,
            )
            yield tuple(
                replace(whole, end=end, thousands=thousands, breaks=breaks, ragged=ragged, packed=packed)
                for end, thousands, breaks, ragged, packed in WITHIN
            )


def ambiguous() -> Iterator[Dirt]:
    """Files in which nothing tells the day from the month."""
    for encoding, time in product(("utf-8", "utf-16", "cp1250"), TIMES[2:4]):
        yield Dirt("pl", encoding, ";", ",", time, early=True)


def _time(when: datetime, pattern: str) -> str:
    if not pattern.endswith("%z"):
        return when.strftime(pattern)
    summer = datetime(2024, 3, 31, 3) <= when < datetime(2024, 10, 27, 4)
    shifted = when if summer else when + timedelta(hours=1)
    return shifted.strftime(pattern[:-2]) + "+03:00"


def _number(value: float, dirt: Dirt) -> str:
    text = f"{value:,.2f}"
    thousands = {".": ",", ",": "."}[dirt.decimal] if dirt.thousands == "other mark" else dirt.thousands
    return text.replace(",", "\0").replace(".", dirt.decimal).replace("\0", thousands)


def _cell(text: str, dirt: Dirt) -> str:
    if any(c in text for c in (dirt.delimiter, '"', "\n", "\r")):
        return '"' + text.replace('"', '""') + '"'
    return text


def _told(text: str, encoding: str) -> str:
    """The text with plain quotation marks where the encoding has no others."""
    known = text.encode(encoding, errors="replace").decode(encoding)
    return "".join(c if c == k else '"' for c, k in zip(text, known.removeprefix("\ufeff"), strict=True))
