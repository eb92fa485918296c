"""Encodings found from bytes: small texts written for these tests, in the languages that clients' exports come in."""

import codecs

import pytest

from cxkit.encodings import LEGACY, find_encoding

UK = "Дуже швидка доставка, дякую! Рекомендую цей магазин усім батькам. Є питання щодо розміру, ґудзики відпали."
RU = "Очень быстро привезли, спасибо. Мой сын в восторге, всё подошло. Объявление об акции не обмануло."
PL = "Dziękuję za szybką wysyłkę, polecam każdemu. Łóżeczko przyszło całe, choć paczka była źle zapakowana. Ćwierć."
CS = "Děkuji, všechno přišlo včas a v pořádku. Příště zase, jen ta cena je čím dál větší."
DE = "Schöne Größe, für meine Tochter genau richtig. Die Rücksendung wäre mühsam gewesen. Grüße aus Köln!"
FR = "Très déçue de la qualité : le colis était abîmé. J'espère être remboursée bientôt, ça m'a coûté 20 €."
ES = "El envío llegó rápido y el niño está contento. ¿Cuándo habrá más tallas? ¡Volveré a comprar aquí mañana!"
PT = "A entrega não chegou até sábado; o atendimento não resolveu. A opção de devolução é péssima, avó ficou à espera."
EN = "It’s lovely – the “café” set arrived early, £5 cheaper… and the crème brûlée dish isn’t chipped."
TEXTS = {"uk": UK, "ru": RU, "pl": PL, "cs": CS, "de": DE, "fr": FR, "es": ES, "pt": PT, "en": EN}
WORDS = {
    "uk": ["Привіт", "Марічка", "озеро", "сорочка"],
    "pl": ["źrebię", "pięść", "węgiel", "słońce"],
    "fr": ["élégant", "sèche", "forêts", "cédille"],
    "de": ["Übung", "Käse", "Löwe", "Fuß"],
}


def find(raw: bytes, *, size: int = 1 << 20):
    return find_encoding(lambda: iter([raw[i : i + size] for i in range(0, len(raw), size)] or [b""]))


def as_file(text: str) -> str:
    return "id;text\r\n" + "".join(f"{i};{part.strip()}\r\n" for i, part in enumerate(text.split(".")) if part.strip())


def encodable(encoding: str):
    for language, text in TEXTS.items():
        try:
            yield language, text, as_file(text).encode(encoding)
        except UnicodeEncodeError:
            continue


@pytest.mark.parametrize("encoding", LEGACY)
def test_a_few_sentences_are_read_as_they_were_written(encoding):
    found = {language: find(raw) for language, _, raw in encodable(encoding)}
    for language, text, raw in encodable(encoding):
        assert raw.decode(found[language].name) == as_file(text), (language, found[language])
    assert found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("language", TEXTS)
def test_unicode_is_sure(encoding, language):
    raw = as_file(TEXTS[language]).encode(encoding)
    found = find(raw)
    assert found.sure
    reading = "utf-8-sig" if found.name == "utf-8" else found.name
    assert raw.decode(reading) == as_file(TEXTS[language])


@pytest.mark.parametrize(
    ("language", "encoding"), [("uk", "cp1251"), ("uk", "koi8-u"), ("pl", "cp1250"), ("fr", "cp1252"), ("de", "cp1252")]
)
def test_one_word_is_enough_for_the_common_ones(language, encoding):
    for word in WORDS[language]:
        raw = f"id,name\n1,{word}\n".encode(encoding)
        found = find(raw)
        assert raw.decode(found.name) == f"id,name\n1,{word}\n", (word, found)


def test_big_endian_mark():
    raw = codecs.BOM_UTF16_BE + "a;b\n1;Київ\n".encode("utf-16-be")
    assert find(raw).name == "utf-16"
    assert find(raw).evidence == "a byte-order mark at the start"


def test_ascii_is_utf8_and_says_so():
    found = find(b"a,b\n1,2\n")
    assert (found.name, found.sure, found.evidence) == ("utf-8", True, "nothing but ASCII, the same in all encodings")


def test_pieces_may_cut_a_letter():
    raw = as_file(UK).encode()
    assert find(raw, size=7).name == "utf-8"
    assert find(raw, size=7).evidence == find(raw).evidence


def test_utf8_with_broken_places_is_named():
    raw = as_file(UK * 3).encode() + b"99;caf\xe9\r\n"
    found = find(raw)
    assert (found.name, found.sure) == ("utf-8", False)
    assert "but 1 place that is not" in found.evidence


def test_a_guess_names_the_next_best_and_what_reads_the_same():
    found = find("id,name\n1,Kraków\n".encode("cp1250"))
    assert found.name == "cp1252"  # the same text
    assert "cp1250 and iso-8859-2 and latin-1 would read the same" in found.evidence
    found = find("id,name\n1,się\n".encode("cp1250"))
    assert (found.name, found.sure) == ("cp1250", False)
    assert found.evidence.startswith("a guess: 1 word with accented letters; cp1250 before ")


def test_lone_carriage_returns_are_mac_roman():
    raw = "name,total\rNeil Französisch,5\rAnn Otter,6\r".encode("mac-roman")
    assert find(raw).name == "mac-roman"


def test_mixed_encodings_are_named_not_repaired():
    raw = as_file(FR * 3).replace("€", "e").encode("latin-1") + "9;ma fille a été échangée\r\n".encode("cp850")
    found = find(raw)
    assert found.name == "cp1252"
    assert found.notes == (
        "2 words look like bytes of another encoding, most like cp850; what they say is lost where they are read.",
    )


def test_mojibake_and_lost_letters_are_noted():
    twice = as_file(FR).encode().decode("cp1252").encode()
    assert "look like UTF-8 that was read as another encoding" in find(twice).notes[0]
    assert find("a\n\ufffd\n".encode()).notes == (
        "1 replacement characters (U+FFFD): what stood there was lost before the export.",
    )


def test_a_long_run_without_a_break_takes_no_time():
    assert find(b"a,b\n" + b"x" * 400_000 + b"\xe9\n").name in LEGACY
    assert find(b"a,b\n" + b"\xe9" * 200_000 + b"\n").name in LEGACY
