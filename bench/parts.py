"""Single designs against the ones they replaced: money, words in notes, first match. Each works on the same columns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path

import polars as pl

PROVINCES = ("浙江", "上海", "广东", "新疆", "四川", "北京", "江苏", "湖北", "湖南", "河南")
WORDS = tuple("".join(pair) for pair in islice(product("顺圆中韵申极德京邮快", "丰通达速风邦东政递运"), 50))
RULES = 200


def dice(path: Path, times: int, sides: int, seed: int) -> pl.Series:
    """Give `times` throws (0 to below `sides`) for each row of the input."""
    rows = int(path.stem.split("-")[1]) * times
    return (pl.int_range(rows, eager=True).hash(seed) % sides).cast(pl.Int64)


def amounts(path: Path) -> pl.DataFrame:
    """Give amounts as text and what they are in minor units."""
    cents = dice(path, 20, 10**7, 1)
    text = (cents // 100).cast(pl.String) + "." + (cents % 100).cast(pl.String).str.zfill(2)
    return pl.DataFrame({"cents": cents, "text": text})


def right(path: Path, read: pl.Expr) -> int:
    """Count the amounts that are read exactly."""
    return int(amounts(path).select((read == pl.col("cents")).sum()).item())


def money_minor(path: Path) -> int:
    """Our own: digits as integers, checked by one pattern."""
    from orderctl.model.money import minor

    return right(path, minor(pl.col("text")))


def money_decimal(path: Path) -> int:
    """Polars' decimals: exact for what is an amount; what is none has to be found first."""
    text = pl.col("text").str
    exact = text.to_decimal(scale=2).cast(pl.Decimal(20, 2)) * 100
    return right(path, pl.when(text.contains(r"^-?\d+(\.\d{1,2})?$")).then(exact.cast(pl.Int64)))


def money_float(path: Path) -> int:
    """The trap: fewer are counted, since 19.99 times 100 is 1998."""
    return right(path, (pl.col("text").cast(pl.Float64) * 100).cast(pl.Int64))


def notes(path: Path) -> pl.DataFrame:
    """Give notes of buyers, one in four with a word that matters."""
    said = [f"麻烦{word}谢谢" for word in WORDS] + ["请尽快发货"] * 3 * len(WORDS)
    return pl.DataFrame({"note": pl.Series(said).gather(dice(path, 20, len(said), 2))})


def words_any(path: Path) -> int:
    """Our own for conditions: one automaton for all words."""
    return int(notes(path).select(pl.col("note").str.contains_any(list(WORDS)).sum()).item())


def words_extract(path: Path) -> int:
    """One automaton that also tells which word it was."""
    found = notes(path).select(pl.col("note").str.extract_many(list(WORDS)).list.first())
    return found.height - found.to_series().null_count()


def words_columns(path: Path) -> int:
    """A column for each word."""
    each = [pl.col("note").str.contains(word, literal=True) for word in WORDS]
    return int(notes(path).select(pl.any_horizontal(each).sum()).item())


def wishes_any(path: Path) -> int:
    """The floor: is there a word at all."""
    return words_any(path)


def _wishes(path: Path, more: int) -> int:
    from orderctl.model.schema import ORDER
    from orderctl.stages.normalizing.notes import NoteReader, read_notes
    from orderctl.stages.rules.sections.notes import NoteRule, NotesSection

    rules = [NoteRule(wish="courier", value=word, words=[word]) for word in (*WORDS, *_other_words(more))]
    orders = notes(path).select(
        buyer_note="note",
        seller_note=pl.lit(None, dtype=pl.String),
        placed_at=pl.lit("2026-11-02T02:00:00Z"),
        wishes=pl.lit([], dtype=ORDER["wishes"]),
        tags=pl.lit([], dtype=ORDER["tags"]),
    )
    read = read_notes(orders, NoteReader(NotesSection(wishes=rules)))
    return int(read.select((pl.col("wishes").list.len() > 0).sum()).item())


def wishes_50(path: Path) -> int:
    """Our own with 50 words: wishes with their evidence, refusals understood."""
    return _wishes(path, 0)


def wishes_500(path: Path) -> int:
    """Our own with 500 words."""
    return _wishes(path, 450)


def wishes_python(path: Path) -> int:
    """Row by row with 50 words and one list of refusals right before them."""
    import re

    word = re.compile("(不要|别|勿)?[发寄用]?(" + "|".join(WORDS) + ")")
    found = (
        [("courier", hit[2], hit[1] is not None, hit[0]) for hit in word.finditer(note)]
        for note in notes(path)["note"].to_list()
    )
    return sum(bool(wishes) for wishes in found)


def _other_words(count: int) -> list[str]:
    letters = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
    return ["".join(pair) for pair in islice(product(letters, repeat=2), count)]


def wishes_regex(path: Path) -> int:
    """One alternation of 500 words over each note, all that it finds; nothing of refusals."""
    import re

    words = re.compile("|".join(sorted([*WORDS, *_other_words(450)], key=len, reverse=True)))
    return sum(bool(words.findall(note)) for note in notes(path)["note"].to_list())


def wishes_aho(path: Path) -> int:
    """The library pyahocorasick with 500 words, all that it finds with its place; nothing of refusals."""
    import ahocorasick

    machine = ahocorasick.Automaton()
    for word in (*WORDS, *_other_words(450)):
        machine.add_word(word, word)
    machine.make_automaton()
    return sum(bool(list(machine.iter(note))) for note in notes(path)["note"].to_list())


def parcels(path: Path) -> pl.DataFrame:
    """Give what courier rules look at."""
    province = pl.Series(PROVINCES).gather(dice(path, 4, len(PROVINCES), 3))
    frame = pl.DataFrame({"province": province, "weight_g": dice(path, 4, RULES * 10, 4)})
    return frame.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))


def bands() -> Iterator[tuple[str, int, int]]:
    """Give the rules: a province, and a weight from and to."""
    return ((PROVINCES[k % 10], k * 7, k * 7 + 500) for k in range(RULES))


def match_blocks(path: Path) -> int:
    """Our own: rules in blocks, rows dropping out."""
    from orderctl.stages.conditions.match import first_match
    from orderctl.stages.rules.parse import parse

    text = "".join(
        f"  - {{name: r{k}, when: {{province: {p}, weight_g: {{between: [{a}, {b}]}}}}, use: {{courier: YTO}}}}\n"
        for k, (p, a, b) in enumerate(bands())
    )
    rules = parse("couriers:\n" + text).rules.couriers
    found = first_match(parcels(path), [rule.when for rule in rules])["fired"]
    return found.len() - found.null_count()


def match_chain(path: Path) -> int:
    """One expression: when the first, then 0, when the second, then 1, and so on."""
    province, weight = pl.col("province"), pl.col("weight_g")
    chain = pl.coalesce(
        pl.when((province == p) & weight.is_between(a, b)).then(pl.lit(k, dtype=pl.Int32))
        for k, (p, a, b) in enumerate(bands())
    )
    found = parcels(path).select(fired=chain)["fired"]
    return found.len() - found.null_count()


def match_python(path: Path) -> int:
    """Row by row, rule by rule."""
    rules = list(bands())
    rows = zip(*(parcels(path)[name].to_list() for name in ("province", "weight_g")), strict=True)
    return sum(any(p == there and a <= weight <= b for p, a, b in rules) for there, weight in rows)
