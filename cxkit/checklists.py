"""What do the checklists of the field ask, of whom, and what in the data speaks to it: checklists.yml."""

import re
from functools import lru_cache
from pathlib import Path

import pandas as pd

from cxkit.errors import UsageError
from cxkit.settings_file import read_yaml

CHECKLISTS = Path(__file__).parent / "checklists.yml"
ARTICLES = ("S0", "S1", "S2a", "S2b", "S2c", "S2d", "S3", "S4")
OURS = "cxkit"
VOICES = ("customer", "partner", "employee")
SPHERES = ("positioning", "site", "product", "support", "logistics", "relations", "company")
SCALE = (0, 4)
LIST_KEYS = ("name", "about", "origin", "lost", "asked_of", "items")
NEEDED = ("id", "name", "text", "answered_by", "evidence", "sphere")
ITEM_KEYS = (*NEEDED, "origin", "literature", "proxy", "reads", "kind")
COLUMNS = ["item", "list", "list_name", "name", "text", "origin", "literature", "answered_by", "evidence", "sphere",
           "kind", "proxy", "reads", "part_of"]  # fmt: skip
KEY = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
FOUND = ("maturity.item.", "maturity.gap.")  # families of findings of one item each
PROXY = re.compile(r"[a-z]+\.[a-z_]+(\.\w+)?")


def read_checklists(path: Path | None = None) -> pd.DataFrame:
    """Every item of every checklist, in the file's order.

    From: a YAML file as `cxkit/checklists.yml`, which is the default. To: item (list.id, as people write it in the
    sheet), list, list_name, name, text, origin (S0 to S4 or cxkit), literature, answered_by (tuple of voices), evidence
    (what counts), sphere, kind (of orientation, or empty), proxy (tuple of findings and families), reads (how they
    speak to it), part_of (empty, or the item of which this asks one quality).
    An item of a list with `asked_of` is followed by one for each of these qualities, asked of employees alone:
    `service.6_train_staff` by `service.6_train_staff.measurable`.
    Source: the checklists are S1's, S2's, S3's and S4's; what these articles lost is from the literature named.
    Raises UsageError, naming every fault of the file with its item.
    """
    file = Path(path) if path is not None else CHECKLISTS
    read, faults = _read(file)
    kinds, rows = read.get("kinds") or {}, []
    for key, listed in read["lists"].items():
        faults += _list_faults(str(key), listed)
        if not isinstance(listed, dict) or not isinstance(listed.get("items"), list):
            continue
        for number, item in enumerate(listed["items"], start=1):
            own = item.get("id", number) if isinstance(item, dict) else number
            found = _item_faults(f"{key}.{own}", item, listed, kinds)
            faults += found
            rows += [] if found else _rows(str(key), listed, item)
    names = [row["item"] for row in rows]
    faults += [f"{name} stands there twice" for name in sorted({n for n in names if names.count(n) > 1})]
    if faults:
        raise UsageError(f"{file}: {'; '.join(faults)}.")
    return pd.DataFrame(rows, columns=COLUMNS)


def scale_words(path: Path | None = None) -> list[str]:
    """What each answer from 0 to 4 means, in order."""
    return [str(word) for word in _read(path or CHECKLISTS)[0]["scale"]]


def lists(path: Path | None = None) -> pd.DataFrame:
    """The checklists in order: list, list_name, about, origin, lost (what the article's copy lacks, or empty)."""
    read = _read(path or CHECKLISTS)[0]["lists"]
    rows = [(key, one["name"], one["about"], one["origin"], one.get("lost", "")) for key, one in read.items()]
    return pd.DataFrame(rows, columns=["list", "list_name", "about", "origin", "lost"])


def kind_names(path: Path | None = None) -> dict[str, str]:
    """The kinds of customer orientation: key -> name."""
    return {str(key): str(kind["name"]) for key, kind in (_read(path or CHECKLISTS)[0].get("kinds") or {}).items()}


def finding_key(item: str) -> str:
    """The last part of the id of an item's findings: `trust.16_be_reliable` -> `trust_16_be_reliable`."""
    return item.replace(".", "_")


def item_of(finding: str) -> str:
    """The item that a finding is about: `maturity.gap.trust_16_be_reliable` -> `trust.16_be_reliable`.

    To: an empty text where it is about none of the kit's checklists.
    """
    return _about(finding)[0]


def sphere_of_item(finding: str) -> str:
    """The sphere of the item that a finding is about; an empty text where it is about none of the kit's checklists."""
    return _about(finding)[1]


def item_names() -> list[str]:
    """The names of all items of the kit's checklists, in order, without reading the file each time."""
    return [item for item, _ in _items_by_key().values()]


def _about(finding: str) -> tuple[str, str]:
    family = next((family for family in FOUND if finding.startswith(family)), "")
    return _items_by_key().get(finding.removeprefix(family), ("", "")) if family else ("", "")


@lru_cache(maxsize=1)
def _items_by_key() -> dict[str, tuple[str, str]]:
    known = read_checklists()
    return {finding_key(row.item): (row.item, row.sphere) for row in known.itertuples()}


def _read(file: Path) -> tuple[dict, list[str]]:
    """The file's content, and what is wrong at its top."""
    read = read_yaml(Path(file), begins="`scale:`, the five answers, and `lists:`")
    faults = []
    if not isinstance(read.get("lists"), dict) or not read["lists"]:
        raise UsageError(f"{file} holds no `lists`; see cxkit/checklists.yml for its shape.")
    if unknown := sorted(set(read) - {"scale", "kinds", "lists"}):
        faults.append(f"unknown keys {', '.join(map(str, unknown))}; valid are scale, kinds, lists")
    words = read.get("scale")
    if not isinstance(words, list) or len(words) != SCALE[1] + 1:
        faults.append(f"scale is the list of the {SCALE[1] + 1} answers' words, from 0 to {SCALE[1]}; found {words!r}")
    for key, kind in (read.get("kinds") or {}).items():
        if not isinstance(kind, dict) or not kind.get("name"):
            faults.append(f"kinds.{key} lacks a name")
            continue
        faults += _origin_faults(f"kinds.{key}", kind.get("origin"), kind.get("literature"))
    return read, faults


def _list_faults(key: str, listed: object) -> list[str]:
    if not KEY.fullmatch(key) or not isinstance(listed, dict):
        return [f"the list {key!r}: its key has small letters, digits and _, and it holds {', '.join(LIST_KEYS)}"]
    faults = [f"the list {key} lacks {name}" for name in ("name", "about", "origin", "items") if not listed.get(name)]
    faults += [f"the list {key} has the unknown key {name!r}" for name in listed if name not in LIST_KEYS]
    asked = listed.get("asked_of") or {}
    if not isinstance(asked, dict) or not all(KEY.fullmatch(str(name)) and text for name, text in asked.items()):
        faults.append(f"the list {key}: asked_of is a mapping of qualities to what each means; found {asked!r}")
    return faults


def _item_faults(label: str, item: object, listed: dict, kinds: dict) -> list[str]:
    if not isinstance(item, dict):
        return [f"{label} is no item; it holds {', '.join(NEEDED)}"]
    faults = [f"{label} lacks {name}" for name in NEEDED if not item.get(name)]
    faults += [f"{label} has the unknown key {name!r}; valid are {', '.join(ITEM_KEYS)}" for name in item
               if name not in ITEM_KEYS]  # fmt: skip
    if not KEY.fullmatch(str(item.get("id", ""))):
        faults.append(f"{label}: an id has small letters, digits and _ (at most 40)")
    asked = item.get("answered_by")
    if not isinstance(asked, list) or not set(map(str, asked)) <= set(VOICES):
        faults.append(f"{label}: answered_by lists some of {', '.join(VOICES)}; found {asked!r}")
    if item.get("sphere") not in SPHERES:
        faults.append(f"{label}: sphere is one of {', '.join(SPHERES)}; found {item.get('sphere')!r}")
    if item.get("kind") is not None and item["kind"] not in kinds:
        faults.append(f"{label}: kind is one of {', '.join(map(str, kinds))}; found {item['kind']!r}")
    faults += _origin_faults(label, item.get("origin", listed.get("origin")), item.get("literature"))
    proxy = item.get("proxy") or []
    if not isinstance(proxy, list) or not all(PROXY.fullmatch(str(name)) for name in proxy):
        faults.append(f"{label}: proxy lists findings, as service.late_share; found {proxy!r}")
    if bool(proxy) != bool(item.get("reads")):
        faults.append(f"{label}: proxy and reads stand together, the finding and how it speaks to the item")
    return faults


def _origin_faults(label: str, origin: object, literature: object) -> list[str]:
    if origin not in (*ARTICLES, OURS):
        return [f"{label}: origin is one of {', '.join(ARTICLES)}, {OURS}; found {origin!r}"]
    if (origin == OURS) != bool(literature):
        return [f"{label}: origin {OURS} needs its literature (author, year, title), and an article's point has none"]
    return []


def _rows(key: str, listed: dict, item: dict) -> list[dict]:
    """The item's row, and one for each quality that it is also asked of."""
    row = {
        "item": f"{key}.{item['id']}", "list": key, "list_name": listed["name"], "name": item["name"],
        "text": item["text"], "origin": item.get("origin", listed["origin"]), "literature": item.get("literature", ""),
        "answered_by": tuple(item["answered_by"]), "evidence": item["evidence"], "sphere": item["sphere"],
        "kind": item.get("kind", ""), "proxy": tuple(item.get("proxy") or ()), "reads": item.get("reads", ""),
        "part_of": "",
    }  # fmt: skip
    rows = [row]
    for quality, meaning in (listed.get("asked_of") or {}).items():
        asked = {"item": f"{row['item']}.{quality}", "name": f"{item['name']}: {quality}", "part_of": row["item"]}
        text = f"{item['text'].rstrip('.')}, and {meaning}."
        # customers and partners do not see how work is done
        rows.append(row | asked | {"text": text, "kind": "", "proxy": (), "reads": "", "answered_by": ("employee",)})
    return rows
