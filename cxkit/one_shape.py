"""Are two exports of one table, whose columns differ, to be read as one? By the columns that both have, where these say
the same of both and the records are not the same ones."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from cxkit.client import UNKNOWN
from cxkit.column_choice import shown
from cxkit.column_kinds import column_forms, counted
from cxkit.doubts import ASKED
from cxkit.proposed_table import Proposal
from cxkit.tables import TABLES

OVERLAP = 0.1  # of the ids: more, and the two tell of the same orders or people
READ_ALIKE = ("kind", "encoding", "delimiter", "sheet", "header")
BESIDE = ("questions", "currency_column")  # what else every number rests on
SHOWN = 6
Group = tuple[Proposal, list[Proposal]]


def merged(first: Group, other: Group, propose: Callable[..., Proposal]) -> Group | None:
    """Two groups of files (a proposal and its files each) as one, proposed anew from the columns that both have.

    None where they are not read alike, a column that every number rests on (a required one, customer, status, refund,
    currency) is not the same in both, or more than a tenth of the ids
    (without ids: of the records) stand in both: heads beside lines, two systems with the same people.
    """
    one, two = first[0], other[0]
    if one.table is None or (one.table, one.preset) != (two.table, two.preset):
        return None
    if any(getattr(one.form, key) != getattr(two.form, key) for key in READ_ALIKE):
        return None
    common = tuple(n for n in one.form.names if n and one.form.names.count(n) == two.form.names.count(n) == 1)
    files = [*first[1], *other[1]]
    if not common or not _apart(one, two, common):
        return None
    whole = propose(replace(one.form, names=common), _together(files, common), preset=one.match)
    needed = [n for n, c in TABLES[one.table].columns.items() if c.required and not c.derived]
    mapped = [p.settings.get("columns", {}) for p in (whole, one, two)]
    same = all(m.get(n) == mapped[0].get(n) for m in mapped for n in (*needed, *ASKED))
    same = same and all(p.settings.get(k) == whole.settings.get(k) for p in (one, two) for k in BESIDE)
    if whole.table != one.table or not same or UNKNOWN in [mapped[0].get(n) for n in needed]:
        return None
    return whole, files


def _apart(one: Proposal, two: Proposal, common: Sequence[str]) -> bool:
    """Whether the two tell of different records."""
    table = TABLES[one.table]
    key = "order_id" if one.table == "orders" else table.unique
    raw = one.settings.get("columns", {}).get(key) if key else None
    if raw is not None and raw != two.settings.get("columns", {}).get(key):
        return False
    names = [raw] if isinstance(raw, str) and raw in common else list(common)
    held = [_records(p, names) for p in (one, two)]
    return bool(held[0] and held[1]) and len(held[0] & held[1]) <= OVERLAP * min(map(len, held))


def _records(proposal: Proposal, names: Sequence[str]) -> set:
    forms = {c.name: c for c in proposal.columns}
    if any(name not in forms for name in names):
        return set()
    if len(names) == 1:
        return set(counted(forms[names[0]]))
    return set(zip(*(forms[name].sample.astype(object) for name in names), strict=True))


def _together(files: Sequence[Proposal], names: Sequence[str]) -> list:
    import pandas as pd

    parts = [pd.DataFrame({c.name: c.sample.astype(object) for c in p.columns if c.name in names}) for p in files]
    return column_forms(pd.concat(parts, ignore_index=True)[list(names)])


def only_in_some(files: Sequence[Proposal]) -> dict[str, str]:
    """The columns that not all of the files have -> which have them."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(name for p in files for name in p.form.names if name):
        having = [p.form.path.name for p in files if name in p.form.names]
        if len(having) < len(files):
            found[name] = f"only in {', '.join(dict.fromkeys(having))}"
    return found


def difference(first: Proposal, other: Proposal) -> str:
    """What is said of an export of a table that another feeds, and that cannot be read with it: its columns, and what
    to do."""
    lacks, more = (
        [shown(n) for n in dict.fromkeys(a) if n and n not in b]
        for a, b in ((first.form.names, other.form.names), (other.form.names, first.form.names))
    )
    told = [f"it lacks {_few(lacks)}"] if lacks else []
    told += [f"it has {_few(more)} besides"] if more else []
    where = f"looks like {other.table}, which {first.form.path.name} feeds"
    place = f"tables.{other.table}.path: [{first.form.path.name}, {other.form.path.name}]"
    if not told:
        how = "which is read in another way (encoding, delimiter, sheet or header row)"
        return f"{where}, and {how}. To read both, save both in one way and write {place}"
    return (
        f"{where}; its columns differ: {' and '.join(told)}. To read both, give what is mapped the same names in both"
        f" files and write {place}"
    )


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
