"""What belongs beside a record before it is read: joined files, what stands once per order, shared money, questions."""

from dataclasses import dataclass, field
from functools import reduce
from operator import mul, or_
from pathlib import Path

import ibis
import pandas as pd
from ibis.expr.types import BooleanValue, StringValue, Table, Value

from cxkit import columns, engine, joins, numerals, refused
from cxkit.client import Client
from cxkit.mapping import Export, Question, Shared, raw_of, shares

NUMBER_BITS = 40  # a row's `line` is its file's number and, in the lower 40 bits, its own
UNITS = 10**columns.PLACES  # money is shared out in whole units, so that the parts add up
FINE = 10**6  # what a line weighs is counted in millionths: sums of whole numbers are the same in any order
MOST_ABOVE = 2  # how far a part may lie above its line's own product where an order's products have both signs
ANSWER = {"q_metric": "metric", "q_item": "item", "q_touchpoint": "touchpoint", "q_survey_id": "survey_id"}


@dataclass
class Shaped:
    """A table's records, ready to be read.

    records: `line`, `part` (the question's number, 0 where there are none), `row_hash`, `is_duplicate`, the raw
    columns, `shared_` columns of shared money, `q_` columns where there are questions. names: raw column -> its name in
    the engine. files: as client.yml has them. duplicates: how many records repeat an earlier one. beside: raw column of
    a joined file -> the file. left: file -> its columns that nothing names. in_order: whether the records
    come in the files' order as far as files of ours between hold them.
    """

    records: Table
    names: dict[str, str]
    files: list[str]
    torn: refused.Ragged
    duplicates: int
    notes: list[str] = field(default_factory=list)
    beside: dict[str, str] = field(default_factory=dict)
    left: dict[str, list[str]] = field(default_factory=dict)
    in_order: bool = True


def shape(con, client: Client, table: str, *, work: Path) -> Shaped:
    """Stages a table's files and puts beside each record what client.yml says belongs to it.

    In this order: exact duplicates are marked (by the table's own file), files joined, what stands once per order
    filled in, an order's money shared out, a record with several questions made a record an answer.
    Raises DataError with the faults of all the table's files together.
    """
    engine.keep_lists(con)
    export = client.tables[table]
    names = columns.raw_names(export)
    staged, others = joins.stage(con, client, table, names=names, folder=work)
    own = [name for raw, name in names.items() if not any(raw in other.taken for other in others)]
    parts = [s.records.mutate(line=s.records.n + (i << NUMBER_BITS)).drop("n") for i, s in enumerate(staged)]
    if len({tuple(p.schema().items()) for p in parts}) > 1:  # Parquet files of several shapes: texts are common ground
        parts = [p.mutate(**{r: p[r].cast("string") for r in own}) for p in parts]
    records = ibis.union(*parts) if len(parts) > 1 else parts[0]
    duplicates = repeats(con, f"duplicates_{table}", records, ["row_hash", *own], first="row_hash")
    records = marked(records, duplicates, "is_duplicate")
    torn = refused.ragged([(s.path, s.rejects) for s in staged])
    number = int(duplicates.count().execute())
    shaped = Shaped(records, names, [s.path for s in staged], torn, number, joins.file_notes(staged))
    for number, other in enumerate(others):
        shaped.records, notes = joins.join(con, shaped.records, other, on=names[other.on], name=f"{table}_{number}")
        shaped.notes += notes
    shaped.beside = {raw: other.staged.path for other in others for raw in other.taken}
    shaped.left = _left(staged, others, names, export)
    shared = shares(export.columns)
    if others and (export.once_per_order or shared or export.questions):
        path = work / f"{table}.joined.parquet"
        shaped.in_order = engine.write_parquet(con, shaped.records, path)
        shaped.records = engine.read_parquet(con, path)
    if export.once_per_order:
        _fill_once(con, shaped, export)
    for column, (source, off) in shared.items():
        _share(con, shaped, column, source, off, client=client, export=export)
    if export.questions:
        _ask(con, shaped, export)
    else:
        shaped.records = shaped.records.mutate(part=ibis.literal(0))
    return shaped


def _left(staged: list, others: list[joins.Other], names: dict[str, str], export: Export) -> dict[str, list[str]]:
    """The columns of each file that nothing names, in the order of the alphabet."""
    keys = {j.path: {j.key or j.on} for j in export.join}
    found: dict[str, list[str]] = {}
    for one in [*staged, *(other.staged for other in others)]:
        away = {c for c in one.columns if c} - set(names) - keys.get(one.path, set())
        found |= {one.path: sorted(away)} if away else {}
    return found


def repeats(con, name: str, rows: Table, keys: list[str], *, first: str) -> Table:
    """The lines that repeat an earlier row in all of `keys`; `first` alone narrows them down at little cost."""
    several = rows.group_by(first).agg(count=rows.count())
    several = several.filter(several["count"] > 1)
    candidates = rows.semi_join(several, first)
    order = ibis.row_number().over(group_by=keys, order_by="line")
    again = candidates.mutate(place=order).filter(ibis._.place > 0).select("line")
    return engine.keep(con, name, again)


def marked(rows: Table, lines: Table, name: str) -> Table:
    """Rows with a yes/no column: whether their line is among `lines`."""
    if not lines.count().execute():
        return rows.mutate(**{name: ibis.literal(False)})
    flagged = lines.select(line_marked=lines.line)
    joined = rows.left_join(flagged, rows.line == flagged.line_marked)
    return joined.mutate(**{name: joined.line_marked.notnull()}).drop("line_marked")


def order_of(records: Table, export: Export, names: dict[str, str]) -> StringValue:
    """The order that a record belongs to, by its raw number."""
    source = export.columns["order_id"]
    return joins.key_text(records[names[source]]) if isinstance(source, str) else ibis.null("string")


def _blank(raw: Value) -> BooleanValue:
    return engine.plain(raw).isnull() if raw.type().is_string() else raw.isnull()


def _fill_once(con, shaped: Shaped, export: Export) -> None:
    """A blank value of what stands once per order takes the order's first filled one, in the files' order.

    Beside canonical columns it may name the raw ones that keep_only and leave_out ask about.
    """
    wanted = {name: (name,) for name in export.once_per_order if name != "order_id"}
    wanted |= {name: raw_of(export.columns[name]) for name in wanted if name in export.columns}
    wanted |= {"currency_column": (export.currency_column,)} if export.currency_column else {}
    raws = list(dict.fromkeys(shaped.names[raw] for rs in wanted.values() for raw in rs))
    records = shaped.records.mutate(of_order=order_of(shaped.records, export, shaped.names))
    blank = {raw: _blank(records[raw]) for raw in raws}
    lacking = records.filter(reduce(or_, blank.values()) & records.of_order.notnull()).select("of_order").distinct()
    whole = records.semi_join(lacking, "of_order")
    firsts = whole.group_by("of_order").agg(
        **{f"first_{raw}": whole[raw].argmin(whole.line, where=~_blank(whole[raw])) for raw in raws}
    )
    firsts = con.create_table("once_per_order", firsts, temp=True, overwrite=True)
    firsts = firsts.rename(first_order="of_order")
    joined = records.left_join(firsts, records.of_order == firsts.first_order)
    filled = {raw: _blank(joined[raw]) & joined[f"first_{raw}"].notnull() for raw in raws}
    counted = joined.aggregate(**{raw: filled[raw].ifelse(1, 0).sum() for raw in raws}).to_pandas().iloc[0]
    told = {key: sum(int(counted[shaped.names[raw]] or 0) for raw in rs) for key, rs in wanted.items()}
    told = ", ".join(f"{count:,} of {key}" for key, count in told.items() if count)
    if told:
        shaped.notes.append(f"once_per_order: blank values took the first filled one of their order: {told}.")
    joined = joined.mutate(**{raw: filled[raw].ifelse(joined[f"first_{raw}"], joined[raw]) for raw in raws})
    shaped.records = joined.drop("of_order", "first_order", *[f"first_{raw}" for raw in raws])


def _share(con, shaped: Shaped, column: str, source: Shared, off: str, *, client: Client, export: Export) -> None:
    """An order's money shared out over its lines, in whole units of 1/10,000, the last line taking the rest.

    The order's money is the first filled value of its lines. A line weighs the product of the columns under `by`;
    where one of an order's lines has none, where they sum to 0, or where some are below 0 and the parts would be far
    off the products, all its lines weigh the same. Lines that repeat an earlier record get nothing. What is taken off
    another column (`off`) and cannot be read is no number (NaN), so that the line is refused and not left as it is.
    """
    names, records = shaped.names, shaped.records
    lines = records.filter(~records.is_duplicate) if export.duplicates == "refuse" else records
    lines = _as_money(lines, [source.share, *source.by], client=client, export=export, names=names)
    by = [lines[f"money_{i}"] for i in range(1, len(source.by) + 1)]
    lines = lines.select(
        "line",
        "order",
        money=(lines.money_0 * UNITS).round(0).try_cast("int64"),
        given=lines.given_0,
        weight=(reduce(mul, by) * FINE).round(0).try_cast("int64") if by else ibis.null("int64"),
    )
    lines = con.create_table(f"lines_{column}", lines.filter(lines.order.notnull()), temp=True, overwrite=True)
    orders = lines.group_by("order").agg(
        first=lines.line.min(where=lines.given),
        several=lines.money.nunique(where=lines.given) + (lines.given & lines.money.isnull()).any().cast("int64"),
        lines=lines.count(),
        weighed=lines.weight.count(),
        whole=lines.weight.sum().cast("float64"),
        least=lines.weight.min(),
        most=lines.weight.max(),
    )
    firsts = lines.select(first="line", total="money")
    orders = orders.left_join(firsts, "first").select(*orders.columns, "total")
    orders = con.create_table(f"orders_{column}", orders, temp=True, overwrite=True)
    times_ = orders.total / orders.whole
    both = (orders.least < 0) & (orders.most > 0)
    sound = ~both | ((times_ * (FINE / UNITS)).between(0, MOST_ABOVE))
    orders = orders.mutate(
        in_turn=((orders.weighed == orders.lines) & (orders.whole != 0) & sound).fill_null(False), both=both
    )
    keyed = orders.select(
        "total", "whole", "lines", "in_turn", of_order="order", unread=orders.first.notnull() & orders.total.isnull()
    )
    joined = lines.left_join(keyed, lines.order == keyed.of_order)
    weighs = joined.in_turn.ifelse(joined.weight, 1)
    over = joined.in_turn.ifelse(joined.whole, joined.lines)
    part = (joined.total.cast("float64") * weighs / over).round(0).try_cast("int64")
    parts = joined.select("line", "order", "total", "unread", part=part, counts=weighs != 0)
    last = parts.line.max(where=parts.counts).over(group_by="order")
    rest = parts.total - parts.part.sum().over(group_by="order")
    parts = parts.select(
        "unread",
        line_shared="line",
        **{column: (parts.part + (parts.line == last).ifelse(rest, 0)).cast("float64") / UNITS},
    )
    if off:
        unread = parts[column].isnull() & parts.unread
        parts = parts.mutate(**{column: unread.ifelse(float("nan"), parts[column])})
    parts = con.create_table(f"parts_{column}", parts.drop("unread"), temp=True, overwrite=True)
    shaped.records = records.left_join(parts, records.line == parts.line_shared).drop("line_shared")
    shaped.notes += _share_notes(orders, column, source, off)


def _as_money(records: Table, raws: list[str], *, client: Client, export: Export, names: dict[str, str]) -> Table:
    """The lines with their order, these raw columns as numbers (money_0, …), whether they are filled (given_0, …)."""
    codes = [client.currency, *(code.upper() for code in export.rates)]
    row_code = {}
    if export.currency_column:
        told = engine.plain(numerals.as_text(records[names[export.currency_column]]))
        row_code = {"row_code": numerals.currency_code(told, codes)}
    cells = {f"cell_{i}": records[names[raw]] for i, raw in enumerate(raws)}
    cells = {n: engine.plain(cell) if cell.type().is_string() else cell for n, cell in cells.items()}
    held = engine.barrier(records.select("line", order=order_of(records, export, names), **cells, **row_code))
    read = {f"number_{i}": numerals.number(held[f"cell_{i}"], export.decimal) for i in range(len(raws))}
    read |= {f"marked_{i}": numerals.marked(held[f"cell_{i}"]) for i in range(len(raws))}
    held = engine.barrier(held.mutate(**read))
    options = {"currency": client.currency, "codes": codes, "row_code": held.row_code if row_code else None}
    money = {
        f"money_{i}": numerals.money(held[f"number_{i}"], held[f"marked_{i}"], export.decimal, **options)[0]
        for i in range(len(raws))
    }
    return held.select(
        "line", "order", **money, **{f"given_{i}": held[f"cell_{i}"].notnull() for i in range(len(raws))}
    )


def _share_notes(orders: Table, column: str, source: Shared, off: str) -> list[str]:
    name = f"what minus takes off {off}" if off else column.removeprefix("shared_")
    yes = lambda flag: flag.ifelse(1, 0).sum().fill_null(0)  # noqa: E731
    held = orders.filter(orders.total.notnull())
    found = held.aggregate(
        orders=held.count(),
        lines=held.lines.sum().fill_null(0),
        equal=yes(~held.in_turn & (held.lines > 1)),
        several=yes(held.several > 1),
    )
    found = found.to_pandas().iloc[0]
    lacking = orders.filter(orders.total.isnull())
    lacking = lacking.aggregate(rows=lacking.count(), given=lacking.first.count()).to_pandas().iloc[0]
    unread, empty = int(lacking.given), int(lacking.rows - lacking.given)
    by = f" in proportion to {' × '.join(source.by)}" if source.by else ""
    notes = [
        f"{name} is the money of {int(found.orders):,} orders ({source.share}) shared out over their"
        f" {int(found.lines):,} lines{by}."
    ]
    if found.equal:
        notes.append(
            f"{name}: in {int(found.equal):,} orders of several lines all lines got equal parts: what is said per"
            " product rests on that."
        )
    if found.several:
        notes.append(
            f"{name}: in {int(found.several):,} orders {source.share} differs from line to line; the first filled"
            " value was taken for the whole order. If it is a line's own money, map it without share."
        )
    if empty:
        then = "nothing is taken off" if off else "their lines have none"
        notes.append(f"{name}: {empty:,} orders have no {source.share}, so {then}.")
    if unread:
        then = f"no {off}" if off else "none"
        notes.append(
            f"{name}: in {unread:,} orders {source.share} is not readable as money, so their lines have {then}."
        )
    return notes


def _ask(con, shaped: Shaped, export: Export) -> None:
    """A record with the answers to several questions -> a record an answer."""
    asked: list[tuple[str, Question]] = list(export.questions.items())
    numbers = engine.keep_frame(
        con, "question_numbers", pd.DataFrame({"part": range(1, len(asked) + 1)}), types={"part": "int64"}
    )
    rows = shaped.records.cross_join(numbers)

    def by_number(values: list[Value | str | None]) -> Value:
        cases = [(rows.part == i, value) for i, value in enumerate(values, 1) if value is not None]
        return ibis.cases(*cases) if cases else ibis.null("string")

    def raws(found: list[str | None]) -> Value:
        """The values of these raw columns; as texts where the file has several types."""
        held = [rows[shaped.names[raw]] if raw else None for raw in found]
        if len({h.type() for h in held if h is not None}) > 1:
            held = [h if h is None else h.cast("string") for h in held]
        return by_number(held)

    said = {name: by_number([getattr(q, key) for _, q in asked]) for name, key in ANSWER.items()}
    shaped.records = rows.mutate(
        **said, q_score=raws([raw for raw, _ in asked]), q_comment=raws([q.comment for _, q in asked])
    )
    shaped.notes.append(f"each record holds the answers to {len(asked)} questions: a row an answer.")
