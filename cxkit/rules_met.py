"""How many records does each entry of the client's own rules meet? A rule that meets none is told: it may be a slip."""

from collections.abc import Iterable, Mapping

from ibis.expr.types import BooleanValue, Table

from cxkit import cells, numerals, patterns
from cxkit.mapping import Export
from cxkit.tables import Table as Canonical

SHOWN = 6  # entries of one rule that a note names


def met(records: Table, *, table: Canonical, export: Export, names: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Rule (not_goods, leave_out.Tags, values.status) -> entry -> how many records it meets, refused or not.

    From: the records as they are read, with the raw columns under `names`.
    """
    told = flags(records, table=table, export=export, names=names)
    if not told:
        return {}
    counts = {f"met_{i}": flag.ifelse(1, 0).sum() for i, flag in enumerate(told.values())}
    counted = records.aggregate(**counts).to_pandas().iloc[0].fillna(0)
    return counts_by_rule(told, [int(counted[f"met_{i}"]) for i in range(len(told))])


def counts_by_rule(flags: Iterable[tuple[str, str]], counts: Iterable[int]) -> dict[str, dict[str, int]]:
    """Rule -> entry -> count. From: (rule, entry) in turn, and the count of each."""
    found: dict[str, dict[str, int]] = {}
    for (rule, one), count in zip(flags, counts, strict=True):
        found.setdefault(rule, {})[one] = count
    return found


def flags(
    records: Table, *, table: Canonical, export: Export, names: Mapping[str, str]
) -> dict[tuple[str, str], BooleanValue]:
    """(Rule, entry) -> whether it meets a record. What is left out: values of what is no raw column as it stands, or
    may come from a question."""
    found: dict[tuple[str, str], BooleanValue] = {}
    for key, rules in {"keep_only": export.keep_only, "leave_out": export.leave_out}.items():
        for raw, wanted in rules.items():
            found |= {(f"{key}.{raw}", one): patterns.matches(records[names[raw]], [one]) for one in wanted}
    words = {"not_goods": ("product_id", export.not_goods)} if export.not_goods else {}
    words |= {f"values.{name}": (name, tuple(mean)) for name, mean in export.values.items()}
    for rule, (name, wanted) in words.items():
        source = export.columns.get(name)
        if not isinstance(source, str) or export.questions:
            continue
        plain = export.model_copy(update={"values": {}})  # a word that means nothing is met all the same
        shaped = cells.shaped(records[names[source]], table.columns[name], plain if rule != "not_goods" else export)
        text = numerals.as_text(shaped if rule != "not_goods" else cells.value(shaped, table.columns[name], export))
        found |= {(rule, one): text == one for one in wanted}
    return {key: flag.fill_null(False) for key, flag in found.items()}


def notes(found: Mapping[str, Mapping[str, int]]) -> list[str]:
    """The entries that meet no record. From: what `met` found."""
    told = []
    for rule, counts in found.items():
        dead = [entry for entry, number in counts.items() if not number]
        if dead:
            named = ", ".join(map(repr, dead[:SHOWN])) + (f" and {len(dead) - SHOWN:,} more" if dead[SHOWN:] else "")
            told.append(f"{rule}: {named} {'matches' if len(dead) == 1 else 'match'} no record.")
    return told
