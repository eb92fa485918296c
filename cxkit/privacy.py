"""Pseudonyms, scrubbing of free text, small groups withheld, cells that no spreadsheet runs."""

import contextlib
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxkit.errors import UsageError

LEAST_SHOWN = 5  # people; nothing is told of a group of fewer

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [a + b for a in _BASE32 for b in _BASE32]  # two characters at a time: millions of customers pass the door


def pseudonym(id: str, *, key: bytes) -> str:
    """A customer's id -> its pseudonym: the same under the same key, and not to be turned back without it.

    Source: HMAC-SHA256 (RFC 2104), its first 65 bits in base32 (RFC 4648), lower case: 13 characters, of which ten
    million customers would share one in one client of 700,000.
    """
    digest = hmac.digest(key, id.encode("utf-8", "surrogatepass"), "sha256")
    bits = int.from_bytes(digest[:9], "big") >> 7
    return "".join([_PAIRS[bits >> shift & 1023] for shift in range(55, 0, -10)]) + _BASE32[bits & 31]


def pseudonyms(ids: Sequence[str], *, key: bytes) -> list[str]:
    """`pseudonym` of each of many ids, several times quicker."""
    block = key.ljust(64, b"\0")  # HMAC takes the key in once and not for each id
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in block)).copy for pad in (0x36, 0x5C))
    letters = np.frombuffer(_BASE32.encode(), dtype=np.uint8)
    found: list[str] = []
    for start in range(0, len(ids), 100_000):
        heads = []
        for own in ids[start : start + 100_000]:
            told, hidden = inner(), outer()
            told.update(own.encode("utf-8", "surrogatepass"))
            hidden.update(told.digest())
            heads.append(hidden.digest()[:9])
        bits = np.unpackbits(np.frombuffer(b"".join(heads), dtype=np.uint8).reshape(-1, 9), axis=1)[:, :65]
        places = bits.reshape(-1, 13, 5) @ np.array([16, 8, 4, 2, 1], dtype=np.uint8)
        found += np.ascontiguousarray(letters[places]).view("S13").ravel().astype(str).tolist()
    return found


def load_key(private: Path, *, earlier_audits: bool) -> bytes:
    """The client's key, made with its folder (0700) on the first run.

    Raises UsageError where the key is gone though audits were made with it (a new one would give every customer a
    new name, and nothing could be compared), or where the file is no key.
    """
    path = Path(private) / "key"
    if not path.exists():
        if earlier_audits:
            raise UsageError(
                f"the key {path} is gone, but earlier audits of this client were made with it. Put it back from your"
                " backup; without it customers cannot be followed from those audits to this one. To begin anew,"
                " remove the client's earlier runs and the private folder."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # two runs at once: the first one's key holds
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32) + "\n")
    with contextlib.suppress(PermissionError):  # another user's folder, or a file system without modes
        path.parent.chmod(0o700)
        path.chmod(0o600)
    text = path.read_text(encoding="ascii", errors="replace").strip()
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise UsageError(f"{path} is no key: it must hold 64 hexadecimal characters. Put it back from your backup.")
    return bytes.fromhex(text)


_AT = r"(?:\s?[@＠]\s?|\s?[(\[]\s?(?:at|@|собака|малпа|małpa)\s?[)\]]\s?)"
_DOT = r"(?:\.|\s?[(\[]\s?(?:dot|\.|kropka|крапка|точка)\s?[)\]]\s?)"
_EMAIL = re.compile(
    rf"[\w.!#$%&'*+/=?^`{{|}}~-]{{1,64}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{1,8}}", re.IGNORECASE
)
# said in words, or without an end: olena собака gmail.com, jan at poczta dot pl, olena@gmail
_SAID = re.compile(
    r"[\w.+-]{1,64}\s(?:собака|собачка|малпа|małpa)\s[\w-]{1,63}(?:(?:\.|\s(?:крапка|точка|kropka|dot)\s)[\w-]{2,63}){1,4}"
    r"|[\w.+-]{1,64}\sat\s[\w-]{1,63}(?:\sdot\s[\w-]{2,63}){1,4}"
    r"|[\w.+-]{1,64}[@＠][\w-]{2,63}(?:\s?[.,]\s?(?:com|net|org|ua|pl|ru|укр|eu|de|uk)\b)?(?![\w@＠-])",
    re.IGNORECASE,
)
_IBAN = re.compile(
    r"(?<![^\W_])[A-Za-z]{2}[0-9]{2}"
    r"(?:[A-Za-z0-9]{11,30}|(?:[\s-][A-Za-z0-9]{4}){2,7}(?:[\s-][A-Za-z0-9]{1,4})?)(?![^\W_])"
)
_ANY = "0-9０-９٠-٩۰-۹"  # digits as other keyboards write them
_DIGITS = re.compile(rf"(?:[+＋]\s?|(?<![{_ANY}])\(\s?)?[{_ANY}](?:[\s()./_*·•‐-―−\u00ad-]{{0,6}}[{_ANY}]){{8,}}")
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}(?: [0-9]{2})?|[0-9]{2}[./][0-9]{2}[./](?:19|20)[0-9]{2}(?: [0-9]{2})?"
)
_SPAN = re.compile(  # from a day to a day, which may share their month or year: 12-18.05.2026
    r"(?:[0-3]?[0-9]|[0-3][0-9][./][01][0-9](?:[./](?:19|20)[0-9]{2})?)\s?[-‐-―−]\s?[0-3][0-9][./][01][0-9][./](?:19|20)[0-9]{2}"
    r"|(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]\s?[-‐-―−/]\s?(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]"
)
_APART = re.compile(r"(?: [/*·•] | ?[-‐-―−] ?|[ /])")  # one way of writing what stands between the numbers of a list
_YEAR = re.compile("(?:19|20)[0-9]{2}")
_PLUS = re.compile(rf"[+＋]\s?\(?[{_ANY}](?:[\s()./-]{{0,3}}[{_ANY}]){{8,}}")
# what `scrub_marked` and `scrub` can change holds this
MAY_BE_MARKED = r"(?is)@|＠|[(\[\s](at|собака|собачка|малпа|małpa)[)\]\s]|[+＋]"
MAY_HOLD_PERSONAL = rf"(?is)@|＠|[(\[\s](at|собака|собачка|малпа|małpa)[)\]\s]|([{_ANY}].*){{4}}"


def _name_digits(match: re.Match) -> str:
    text = match.group()
    if _DATE.fullmatch(text) or _SPAN.fullmatch(text) or _is_list(text):
        return text
    digits = sum(c.isdigit() for c in text)
    return "[account]" if digits >= 20 else "[card]" if digits >= 16 else "[phone]"


def _is_list(text: str) -> bool:
    """Whether it is a list of years, or one of four numbers or more of up to three figures that rise by the same step,
    as sizes do; what stands between them is the same throughout."""
    if len(text) > 80 or len(set(_APART.findall(text))) != 1:
        return False
    parts = _APART.split(text)
    if all(_YEAR.fullmatch(part) for part in parts):
        return True
    if len(parts) < 4 or not all(re.fullmatch("[1-9][0-9]{0,2}", part) for part in parts):
        return False
    numbers = [int(part) for part in parts]
    step = numbers[1] - numbers[0]
    return step > 0 and all(b - a == step for a, b in pairwise(numbers))


def _name_iban(match: re.Match) -> str:
    text = match.group()
    return "[account]" if sum(c.isdigit() for c in text) >= 8 else text


def scrub(text: str) -> str:
    """Free text without e-mail addresses, phone numbers, card and account numbers; each leaves its kind in brackets.

    What is left out: names and addresses are not found, nor numbers of under nine digits. Runs of nine digits and
    more go even where they are an order's number: too much is the lesser harm. Dates, spans of days, lists of years and
    of numbers that rise by one step (sizes) stay.
    """
    if not isinstance(text, str):
        return text
    text = _IBAN.sub(_name_iban, _SAID.sub("[e-mail]", _EMAIL.sub("[e-mail]", text)))
    return _DIGITS.sub(_name_digits, text)


def scrub_marked(text: str) -> str:
    """A word of the shop's without e-mail addresses and phone numbers led by a plus. Other figures stay: goods, pages
    and campaigns have long numbers of their own."""
    return _PLUS.sub("[phone]", _SAID.sub("[e-mail]", _EMAIL.sub("[e-mail]", text)))


def withhold_small(frame: pd.DataFrame, *, count: str, least: int = LEAST_SHOWN) -> pd.DataFrame:
    """A frame of groups without the numbers of groups under `least` people.

    From: one row a group; `count` is the column with its people. To: the same rows and labels; every number of a
    withheld row is empty. So that nobody subtracts, the next smallest group goes too while the withheld ones
    together hold under `least` people or there is only one. Groups of nobody hide nobody and stay.
    """
    people = frame[count].to_numpy(dtype=float)
    small = (people > 0) & (people < least)
    if small.any():
        for row in np.argsort(people, kind="stable"):
            if small.sum() > 1 and people[small].sum() >= least:
                break
            small[row] |= people[row] > 0
    result = frame.copy()
    for name in frame.columns:
        kind = frame[name].dtype.kind
        if small.any() and kind in "iufcbmM":
            result[name] = frame[name].astype(float if kind in "iufb" else frame[name].dtype).mask(small)
    return result


_RISKY = re.compile(r"^\s*[=+\-@＝＋－＠]|^[\t\r\n]")
_PLAIN_NUMBER = re.compile(r"^[+-]?[0-9]+(?:[.,][0-9]+)*$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def safe_cell(value: Any) -> Any:
    """A value that no spreadsheet runs as a formula: risky texts get a leading apostrophe; numbers stay numbers.

    Control characters, which no workbook may hold, are taken out.
    """
    if not isinstance(value, str):
        return value
    value = _CONTROL.sub("", value)
    return f"'{value}" if _RISKY.search(value) and not _PLAIN_NUMBER.match(value) else value
