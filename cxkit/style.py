"""How numbers and pictures look: number formats, palette, theme."""

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import date

from cxkit.estimates import Estimate

INK, GREY, LIGHT = "#1c2024", "#646c76", "#d9dde2"  # text; context; hairlines and what is not the point
FIGURE_FONTS = "'DejaVu Sans', Verdana, sans-serif"  # Verdana is as wide as what the picture was laid out with
DEFAULT_ACCENT = "#1f5673"
DAY = re.compile(r"(?<![\w'“‘\"/.-])\d{4}-\d\d-\d\d(?![\w'”’\"/-])")
# nothing but a client's own names, as touchpoints, reasons and ways of delivery have them, maybe several
NAMES = re.compile(r"[^\W\d]+(?:(?:, | \+ | → )[^\W\d]+)*")
# seaborn's "colorblind", its lightest and its grey left out: they vanish on white or mean context here
PALETTE = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#56b4e9", "#7a5195")


def format_value(value: float, unit: str, currency: str = "") -> str:
    """A number as a reader sees it, with a true minus sign and its unit.

    Percent (share, lift) without decimals from 10 % on and with one below; a share that is nearly the whole, 99.5 % to
    99.9 %; lifts with their sign; money and the rest with thousands separated, without decimals from 100 on, with one
    from 10 on, else with two unless it is whole. What is not finite is a dash.
    """
    if not math.isfinite(value):
        return "–"
    if unit in ("share", "lift"):
        percent = 100 * value
        nearly = unit == "share" and 99.5 <= percent < 100 - 1e-7  # all but a few are not all
        percent = min(percent, 99.9) if nearly else percent
        digits = 0 if (abs(percent) >= 9.95 and not nearly) or percent == 0 else 1
        text = _signed(percent, digits, plus=unit == "lift")
        return f"{text} %"
    digits = 0 if abs(value) >= 99.95 or value == int(value) else 1 if abs(value) >= 9.995 else 2
    suffix = {"money": f" {currency}", "days": " day" if abs(value) == 1 else " days"}.get(unit, "")
    return (_signed(value, digits) + suffix).rstrip()


def _signed(number: float, digits: int, *, plus: bool = False) -> str:
    """A rounded number with a true minus; what rounds to zero has no sign."""
    text = f"{number:+,.{digits}f}" if plus else f"{number:,.{digits}f}"
    if not text.strip("+-0.,"):
        text = text.lstrip("+-")
    return text.replace("-", "−")


def format_interval(estimate: Estimate, currency: str = "") -> str:
    """Both ends of an estimate's interval with their unit once: `39–43 %`, `−2.0 to +14 %`; a dash where unknown."""
    return format_ends(estimate.low, estimate.high, estimate.unit, currency)


def format_ends(low: float, high: float, unit: str, currency: str = "") -> str:
    """As `format_interval`, from the two ends."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "–"
    if unit == "points":  # both ends with the decimals of the larger one
        digits = 0 if (size := max(abs(low), abs(high))) >= 99.95 else 1 if size >= 9.995 else 2
        first, last = (_signed(end, digits) for end in (low, high))
    else:
        first, last = (format_value(end, unit, currency) for end in (low, high))
    if unit == "days" and last.endswith(" days"):
        first = first.removesuffix(" day")
    for unit_text in (" %", " days", f" {currency}"):
        if unit_text.strip() and first.endswith(unit_text) and last.endswith(unit_text):
            first = first.removesuffix(unit_text)
    joint = " to " if unit == "lift" or "−" in first + last else "–"
    return f"{first}{joint}{last}"


def clean_text(text: object) -> str:
    """Text from data on one line, without control characters and without marks that turn the direction of writing."""
    one_line = re.sub(r"\s+", " ", str(text))
    hidden = ("Cc", "Cf", "Cs", "Co", "Cn")
    return "".join(c for c in one_line if unicodedata.category(c) not in hidden).strip()


def long_date(day: str | date | None) -> str:
    """A day as people write it: 30 June 2026; an empty text for none."""
    if not day:
        return ""
    day = date.fromisoformat(str(day)[:10])
    return f"{day.day} {day:%B} {day.year}"


def told_dates(text: str) -> str:
    """A sentence with its days as people write them; in quotes, paths and names they stay, as does what is no day."""
    return DAY.sub(lambda found: long_date(found[0]) if _is_day(found[0]) else found[0], text)


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def in_quotes(name: object) -> str:
    """A client's own name (a touchpoint, a reason, a way of delivery) in a sentence: `payment_page` is “payment page”.

    Ids and tables keep the name as the data have it.
    """
    return f"“{clean_text(str(name).replace('_', ' '))}”"


def spoken(text: str) -> str:
    """A client's own names without the underscores that data have in place of blanks: `payment_page` is payment page.

    As they are stay what holds a digit (goods' numbers) and whatever is more than names.
    """
    return text.replace("_", " ").strip() or text if NAMES.fullmatch(text) else text


def no_places(name: str) -> str:
    """A client's own name in a claim: its braces are no places."""
    return name.replace("{", "{{").replace("}", "}}")


def plain_text(text: object, *, width: int = 60) -> str:
    """Text from data as a picture's label: cleaned, `spoken`, at most `width` characters, and never read as a formula
    by matplotlib (`$` is escaped)."""
    short = spoken(clean_text(text))
    if len(short) > width:
        short = short[: width - 1].rstrip() + "…"
    return short.replace("$", r"\$")


def folded_text(text: object, *, width: int = 26) -> str:
    """As `plain_text`, on two lines where one of `width` letters is too short, the first one ending at a comma or
    blank."""
    short = plain_text(text, width=2 * width)
    if len(short) <= width:
        return short
    cut = max(short.rfind(", ", 0, width) + 1, 0) or max(short.rfind(" ", 0, width), 0) or width
    return f"{short[:cut].rstrip()}\n{short[cut:].lstrip()}"


def _channels(colour: str) -> list[int]:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise ValueError(f"a colour is written #rrggbb; found {colour!r}.")
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21. Source: WCAG 2.2, contrast ratio and relative luminance."""

    def luminance(colour: str) -> float:
        parts = [c / 255 for c in _channels(colour)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def accent(colour: str | None = None, *, least: float = 4.9) -> str:
    """The one accent colour: the client's, darkened in steps of a twentieth until it can be read on white.

    `least` lies above the 4.5 that AA asks for, so that the colour also holds on a pale ground.
    """
    dark = (colour or DEFAULT_ACCENT).lower()
    while contrast(dark, "#ffffff") < least:
        dark = "#" + "".join(f"{int(c * 0.95):02x}" for c in _channels(dark))
    return dark


def series_colours(colour: str | None = None) -> list[str]:
    """The accent, then the palette without what lies too close to the accent to be told from it."""
    first = accent(colour)

    def distance(other: str) -> float:
        (r1, g1, b1), (r2, g2, b2) = _channels(first), _channels(other)
        return math.sqrt(2 * (r1 - r2) ** 2 + 4 * (g1 - g2) ** 2 + 3 * (b1 - b2) ** 2)

    return [first, *(c for c in PALETTE if distance(c) > 120)]


def colours_for(names: Sequence[str]) -> dict[str, str]:
    """One colour a name, in the order given, so that a group keeps its colour; names beyond the palette are grey."""
    return {name: PALETTE[i] if i < len(PALETTE) else GREY for i, name in enumerate(names)}


def theme(colour: str | None = None) -> dict[str, object]:
    """matplotlib's settings for a picture 7.2 inches wide, whose text stays above 9 pt on A4; `C0` is the accent.

    The fixed hash salt keeps SVG the same bytes.
    """
    from cycler import cycler

    return {
        "figure.figsize": (7.2, 3.6),
        "figure.constrained_layout.use": True,
        "figure.facecolor": "white",
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "text.color": INK,
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "axes.titlepad": 10,
        "axes.labelsize": 10,
        "axes.labelcolor": INK,
        "axes.edgecolor": GREY,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=series_colours(colour)),
        "grid.color": LIGHT,
        "grid.linewidth": 0.6,
        "xtick.color": GREY,
        "ytick.color": GREY,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": 10,
        "ytick.labelsize": 10,
        "lines.linewidth": 2,
        "lines.markersize": 5,
        "patch.edgecolor": "white",
        "legend.frameon": False,
        "legend.fontsize": 10,
        "hatch.color": GREY,
        "hatch.linewidth": 0.6,
        "svg.fonttype": "none",
        "svg.hashsalt": "cxkit",
    }
