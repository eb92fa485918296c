"""Which texts were garbled before they came here? Signs of one encoding read as another: named, never mended."""

import ibis
from ibis.expr.types import StringValue, Table

from cxkit.tables import Table as Canonical

# what the bytes 0x80-0xBF become in Latin-1 and in CP1252, and in CP1251
_WESTERN = "\\x{80}-\\x{bf}€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_CYRILLIC = "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—™љ›њќћџ\\x{a0}ЎўЈ¤Ґ¦§Ё©Є«¬\\x{ad}®Ї°±Ііґµ¶·ё№є»јЅѕї"
# each sign alone would be chance: two letters in a row, or a pair that no language writes
SIGNS = {
    "look like UTF-8 read as Latin-1 or CP1252": (
        f"[ÐÑ][{_WESTERN}][ÐÑ][{_WESTERN}]|[ÄÅ][‚‡›º¼¹\\x{{81}}\\x{{84}}\\x{{9b}}]|Å„|Ã[\\x{{a1}}-\\x{{a9}}\\x{{aa}}°-ºƒ‡ˆ‰ŠŸœ¼½]"
        "|â€[\\x{80}-\\x{9f}™œ“”˜¦¢]|Â[\\x{a0}°£§©®±²³½]"
    ),
    "look like UTF-8 read as CP1251": f"([РС][{_CYRILLIC}]){{3}}",
    "look like CP1251 read as Latin-1 or CP1252": "[À-ÿ]{4}",
    "hold the replacement character, which stands where a letter was lost": "\\x{fffd}",
    "hold control characters that no text has (0x80-0x9f): bytes of another encoding": "[\\x{80}-\\x{9f}]",
}
_ANY = "|".join(SIGNS.values())
_SHOWN = 6  # letters of an example: a pattern, nobody's words


def notes(rows: Table, table: Canonical) -> list[str]:
    """What is to be said of each text column: how many values bear which sign (the first of `SIGNS` that fits counts),
    with a few letters of one.

    From: canonical rows. What is left out: ids, and words from a list; texts of under two letters of another alphabet,
    which may be right by chance; question marks in the place of letters.
    """
    texts = [c for c in table.columns.values() if c.type == "text" and not c.valid and c.name in rows.columns]
    columns = [c.name for c in texts if not c.name.endswith("_id") and c.name != "referred_by"]
    if not columns:
        return []
    # names of goods and channels come again and again, what people write does not
    often = not any(table.columns[name].free_text for name in columns)
    held = rows.select(columns).distinct() if often else rows
    any_odd = {name: held[name].re_search(_ANY).any() for name in columns}
    found = held.aggregate(**any_odd).to_pandas().iloc[0]
    told = [name for name in columns if found[name] is not None and found[name]]
    return [note for name in told for note in _told(rows.filter(rows[name].re_search(_ANY))[name], name)]


def _told(texts: StringValue, name: str) -> list[str]:
    held = texts.name("text").as_table()
    kinds = [(held.text.re_search(sign), number) for number, sign in enumerate(SIGNS.values())]
    held = held.mutate(kind=ibis.cases(*kinds))
    found = []
    for number, (said, sign) in enumerate(SIGNS.items()):
        of_kind = held.filter(held.kind == number)
        counted = of_kind.aggregate(n=of_kind.count(), example=of_kind.text.re_extract(sign, 0).min()).to_pandas()
        n, example = int(counted.n.iloc[0]), counted.example.iloc[0]
        shown = f" ({example[:_SHOWN]}…)" if n and number < 3 else ""
        found += [f"{n:,} values of {name} {said}{shown}."] if n else []
    return found
