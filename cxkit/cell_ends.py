"""Which texts of a batch have blanks around them? Found by the bytes at their ends, and trimmed where there are any.

For the engine to look at both ends of every cell costs about ten times as much.
"""

import numpy as np

from cxkit.engine import BLANKS

_SHORT = [ord(blank) for blank in BLANKS if ord(blank) < 128]
_LONG = [blank.encode() for blank in BLANKS if ord(blank) >= 128]


def _marked(codes) -> np.ndarray:
    table = np.zeros(256, dtype=bool)
    table[list(codes)] = True
    return table


# of blanks of several bytes the byte at the end of the text, and the one beside it
_FIRST, _SECOND = _marked([*_SHORT, *(b[0] for b in _LONG)]), _marked(b[1] for b in _LONG)
_LAST, _BEFORE = _marked([*_SHORT, *(b[-1] for b in _LONG)]), _marked(b[-2] for b in _LONG)
_ALONE = _marked(_SHORT)


def trimmed(texts):
    """An Arrow array of texts as `engine.plain` leaves them: without the blanks around them, null where nothing is
    left."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not _may_have(texts):
        return texts
    plain = pc.utf8_trim(texts, characters=BLANKS)
    return pc.if_else(pc.equal(plain, ""), pa.scalar(None, plain.type), plain)


def _may_have(texts) -> bool:
    """Whether any text may have a blank at an end, or be empty: where not, none has."""
    kind = np.int64 if str(texts.type).startswith("large") else np.int32
    _, places, data = texts.buffers()
    places = np.frombuffer(places, dtype=kind)[texts.offset : texts.offset + len(texts) + 1]
    if texts.null_count < len(texts) and (np.diff(places) == 0).sum() != texts.null_count:
        return True  # an empty text, or a null that takes room
    if not len(places) or places[0] == places[-1]:
        return False
    held = np.frombuffer(data, dtype=np.uint8)[: places[-1]]
    # a null's place is the next text's first byte, and the byte before it the last one's last
    first = places[:-1][places[:-1] < len(held)]
    last = places[1:][places[1:] > places[0]] - 1
    return _at(held, first, 1, _FIRST, _SECOND) or _at(held, last, -1, _LAST, _BEFORE)


def _at(held: np.ndarray, places: np.ndarray, step: int, table: np.ndarray, beside: np.ndarray) -> bool:
    near = places[table[held[places]]]
    near_by = np.clip(near + step, 0, len(held) - 1)
    return bool((_ALONE[held[near]] | beside[held[near_by]]).any())
