"""What would a file's lines in client.yml say? A proposal from its columns, each line with the evidence it rests on."""

from collections.abc import Sequence
from pathlib import Path

from cxkit import doubts, survey_questions, table_settings
from cxkit.client import UNKNOWN
from cxkit.column_choice import NUMERIC, Choice, asked, choose, missing, score
from cxkit.column_kinds import ColumnForm
from cxkit.folder_plan import Plan, plan
from cxkit.meanings import key, word_lists
from cxkit.presets import Match, known_columns, settings_for
from cxkit.proposed_table import Proposal, by_values, raws, reading, told_settings
from cxkit.sniff import FileForm
from cxkit.tables import TABLES

WHOLE, PART = 0.08, 0.25  # what a table must score whose required columns were all found, and not by weak names alone
CLEAR, APART = 1.25, 1.5  # times the next best's score, of the same


def propose(form: "FileForm", columns: Sequence[ColumnForm], *, preset: "Match | None" = None) -> Proposal:
    """What a file feeds and how its columns map.

    From: the file's form, its columns' forms, the preset that its header matches. A preset's settings go before what
    names and values say; dates that it does not read are taken as they stand. A table is proposed where it takes the
    file clearly better than the next, and by more than names that any list has (id, name); a required column without a
    sure candidate is "???".
    """
    if preset is not None:
        return _by_preset(form, columns, preset)
    stem = word_lists("files").get(key(Path(form.path).name.split(".")[0]))
    ranked = sorted(((c := choose(t, columns), score(c, named=t == stem)) for t in TABLES), key=lambda r: -r[1])
    (best, most), (_, second) = ranked[:2]
    others = tuple((c.table, s) for c, s in ranked if s > 0)
    told = [name for name, meaning in best.meant.items() if not meaning.weak]
    sure = bool({n for n, c in TABLES[best.table].columns.items() if c.required} & {*told}) or bool(asked(best))
    least, apart = (WHOLE, CLEAR) if sure and not missing(best) else (PART, APART)
    if most < least or most < apart * second or not (told or asked(best) or best.table == stem):
        unmapped = {c.name: best.unmapped.get(c.name, f"would be {_is(best, c)} of {best.table}") for c in columns}
        return Proposal(form, tuple(columns), None, None, others[:3], {}, {}, unmapped)
    settings, evidence = told_settings(best)
    read, said = reading(form)
    return Proposal(
        form, tuple(columns), None, best.table, others[1:4], read | settings, said | evidence, best.unmapped, most
    )


def _is(choice: Choice, form: ColumnForm) -> str:
    return next((name for name, f in choice.columns.items() if f is form), "nothing")


def _by_preset(form: "FileForm", columns: Sequence[ColumnForm], match: "Match") -> Proposal:
    """A proposal from a preset, and what the values say that no preset can: how dates and numbers are written."""
    preset = match.preset
    settings, read = settings_for(match, list(form.names)), reading(form)
    evidence = dict(read[1])
    if preset.table is None:
        unmapped = {c.name: f"stands beside another table's records (preset {preset.name})" for c in columns}
        return Proposal(form, tuple(columns), preset.name, None, (), settings, {}, unmapped, 1.0, match)
    forms = {c.name: c for c in columns}
    mapped = {n: forms[s] for n, s in settings.get("columns", {}).items() if isinstance(s, str) and s in forms}
    choice = choose(preset.table, columns)
    choice.columns = {n: f for n, f in mapped.items() if f.filled}
    if preset.table == "surveys" and not {"metric", "score"} & set(settings["columns"]) and "questions" not in settings:
        choice.unmapped = {c.name: "no meaning found" for c in columns if c not in mapped.values()}
        asked = survey_questions.questions(choice, evidence)
        settings = {**settings, **({"questions": asked} if asked else {})}
    evidence |= {f"columns.{n}": f"preset {preset.name}; {by_values(preset.table, n, f)}" for n, f in mapped.items()}
    evidence |= {f"columns.{n}": f"preset {preset.name}" for n in settings.get("columns", {}) if n not in mapped}
    repeated = table_settings.repeats(columns)
    if settings.get("duplicates") == "keep":
        repeated = "; ".join(filter(None, (f"preset {preset.name}: equal records are not one", repeated)))
    evidence |= {"duplicates": repeated} if repeated else {}
    times = {} if "date_format" in settings else table_settings.time_settings(choice, evidence)
    settings = {**settings, **times}
    if "decimal" not in settings:
        numeric = [f for n, f in choice.columns.items() if TABLES[preset.table].columns[n].type in ("money", "number")]
        settings = {**settings, **table_settings.decimal_setting(numeric, evidence)}
    known = set(settings.get("values", {}).get("status", ()))
    status = table_settings.value_settings(choice, {}).get("values", {}).get("status", {})
    if status:  # words that the preset does not know are asked for, with what they may mean
        values = dict(settings.get("values", {}))
        values["status"] = {**values.get("status", {}), **{t: w for t, w in status.items() if t not in known}}
        settings = {**settings, "values": values}
    _doubted(choice, settings, evidence, match)
    used = set(raws(settings))
    unmapped = {c.name: f"preset {preset.name} has no use for it" for c in columns if c.name not in used}
    unmapped |= {raw: why for raw, why in choice.unmapped.items() if raw in unmapped}
    return Proposal(
        form, tuple(columns), preset.name, preset.table, (), read[0] | settings, evidence, unmapped, 1.0, match
    )


def _doubted(choice: Choice, settings: dict, evidence: dict[str, str], match: Match) -> None:
    """What the values of a file leave in doubt that a preset reads: as of a file that none does."""
    told: dict[str, str] = {}
    table_settings.hints(choice, told)
    taken = {"not_goods"} & set(settings) | {"duplicates"}
    evidence |= {place: text for place, text in told.items() if place.split(".")[0] not in taken}
    shares = [way["share"] for way in (settings["columns"].get("amount"),) if isinstance(way, dict) and "share" in way]
    sums = [f for f in choice.forms if f.name in shares and f.kind in NUMERIC]
    choice.roles, choice.unmapped = {**choice.roles, "order_total": sums}, {}
    mark = settings.get("decimal", ".")
    doubts.beside_preset(
        choice, settings, evidence, known=known_columns(match.preset), decimal=mark if mark != UNKNOWN else "."
    )


def combine(proposals: Sequence[Proposal], *, currency: str | None = None) -> Plan:
    """The folder as a whole: months of one export together, heads beside their lines, one file a table.

    `currency`: the client's, where it was given: others need rates.

    What is left out: of two exports of one table that cannot be read as one, that which explains less.
    """
    return plan(proposals, propose=propose, currency=currency)
