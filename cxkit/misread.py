"""Does a text look like one encoding read as another? The bytes of złoty in cp1250 read z³oty in cp1252."""

from collections.abc import Iterable, Iterator

from cxkit.currencies import KNOWN

# the commoner first
ENCODINGS = ("utf-8", "cp1252", "cp1250", "cp1251", "koi8-u", "iso-8859-2", "mac-roman", "cp866", "cp852", "utf-16")


def otherwise(text: str, *, encoding: str) -> Iterator[tuple[str, str]]:
    """Each other encoding in which the same bytes are text too, and that text. From: the encoding it was read in."""
    try:
        raw = text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return
    for other in ENCODINGS:
        try:
            read = raw.decode(other)
        except UnicodeDecodeError:
            continue
        if read != text:
            yield other, read


def likeness(wanted: str, found: Iterable[str], *, encoding: str) -> tuple[str, list[str]] | None:
    """Which of the found texts is the wanted one in another encoding, and in which ones; None where none is."""
    folded = wanted.strip().casefold()
    if folded.isascii():
        return None
    for text in found:
        others = [o for o, read in otherwise(text, encoding=encoding) if read.strip().casefold() == folded]
        if others:
            return text, others
    return None


def mark(text: str, *, encoding: str) -> tuple[str, str, str] | None:
    """A currency's mark that was read in the wrong encoding (z³ of zł): as it stands, as it was meant, and its own
    encoding; None where an amount bears none."""
    words = "".join(" " if c in "0123456789.,'’+-−()%" else c for c in text).split()
    for word in words:
        for other, read in otherwise(word, encoding=encoding):
            if read.casefold() in KNOWN and not read.isascii() and word.casefold() not in KNOWN:
                return word, read, other
    return None
