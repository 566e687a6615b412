"""What notes ask for: wishes and tags of orders, each with the words that say so. The notes stay as they are.

All words of all rules, those that refuse among them, are found in one pass (one automaton), as a table of tokens
with their places. What a token means is told by its neighbours: tokens of one kind with nothing but "and" between
them are a list, and what refuses its first or last one refuses the whole. Places are bytes of the cleaned note.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from orderctl.model.records import Wish
from orderctl.model.schema import fields
from orderctl.stages.normalizing.days import read_days
from orderctl.stages.normalizing.refusals import judged, part
from orderctl.stages.normalizing.wishes import SOURCES, conflicts
from orderctl.stages.rules.sections.notes import NotesSection

WISHES = pl.List(pl.Struct(fields(Wish)))
WISH = list(fields(Wish))
WAIT = "wait"
WAIT_ENDS = ("ship_on", "ship_from")
LONGEST = 200  # characters of a value or of evidence; a note may be a letter

_UNCLEAN = r"[^ -~\x{4E00}-\x{9FFF}，。！？；：、“”‘’（）《》【】…—～·\n]"
_LATIN_BYTE = "^(?:3[0-9]|4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])$"  # letters and digits, in hexadecimal

_FOUND = pl.Schema(
    {"note": pl.UInt32(), "at": pl.UInt32(), "end": pl.UInt32(), "role": pl.String(), "rule": pl.Int64()}
)


_RULES = pl.Schema(
    {
        "rule": pl.Int64(),
        "kind": pl.String(),
        "value": pl.String(),
        "tags": pl.List(pl.String()),
        "of": pl.String(),
        "turned": pl.Boolean(),
        "careful": pl.Boolean(),
    }
)


@dataclass(frozen=True)
class NoteReader:
    """The rules of a section in the form that reads."""

    section: NotesSection
    zone: str = "Asia/Shanghai"

    @cached_property
    def meanings(self) -> pl.DataFrame:
        """Give what each word is: `word` (lower case), `role`, and the number of the `rule` of a wish.

        A word of several rules has a row for each; a word of a rule is a wish, whatever else it could be.
        """
        section, rows = self.section, []
        for number, rule in enumerate(section.wishes):
            rows += [(word.lower(), "wish", number) for word in rule.words]
        known = {word for word, _, _ in rows}
        others = {
            "nothing": [*section.nothing, *(word for rule in section.wishes for word in rule.but)],
            "past": section.past,
            "except": section.except_for,
            "others": section.others,
            "after": section.refusing_after,
            "refuse": section.refusing,
        }
        for role, words in others.items():
            rows += [(w, role, -1) for w in dict.fromkeys(word.lower() for word in words) if w not in known]
            known |= {word.lower() for word in words}
        return pl.DataFrame(
            rows, {"word": pl.String, "role": pl.String, "rule": pl.Int64}, orient="row"
        ).unique(maintain_order=True)

    @cached_property
    def words(self) -> list[str]:
        """Give all words, the longest first, since of two that begin together the first one counts."""
        return sorted(self.meanings["word"].unique(), key=lambda word: (-len(word), word))

    @cached_property
    def sought(self) -> list[str]:
        """Give the words that make a note worth reading: those of wishes."""
        return self.meanings.filter(pl.col("role") == "wish")["word"].unique(maintain_order=True).to_list()

    @cached_property
    def rules(self) -> pl.DataFrame:
        """Give kind, value, tags and so on of each rule, by its number."""
        rows = [
            {"rule": n, "kind": r.wish, "value": r.value, "tags": r.tags, "of": r.of and f"{r.of}_note", "turned": r.refused, "careful": r.asked}
            for n, r in enumerate(self.section.wishes)
        ]  # fmt: skip
        return pl.DataFrame(rows, _RULES)


def read_notes(orders: pl.DataFrame, reader: NoteReader) -> pl.DataFrame:
    """Give the columns `wishes`, `tags` and `conflict` of `orders`, in their order.

    Wishes of notes are replaced by what the notes ask for now, those of options stay; tags are added to what is
    there. `conflict` names the wishes that contradict each other, null where none do.

    Args:
        orders: has `buyer_note`, `seller_note`, `placed_at`, `wishes` and `tags`.
        reader: its zone is the one in which days are told.
    """
    rows = orders.select("buyer_note", "seller_note", "placed_at").with_row_index("row")
    found = _found(_notes(rows), reader)
    once = found.filter(pl.col("kind").is_not_null()).unique(
        ["row", "source", "kind", "value", "avoid"], keep="first", maintain_order=True
    )
    read = once.select("row", wish=pl.struct(WISH).cast(WISHES.inner))
    given = orders.select("wishes", "tags").with_row_index("row")
    options = given.filter(pl.col("wishes").list.len() > 0).select("row", wish="wishes").explode("wish")
    options = options.filter(~pl.col("wish").struct.field("source").is_in(SOURCES))
    wishes = pl.concat([options, read])
    told = found.filter(~pl.col("avoid")).select("row", tag="tags").explode("tag", empty_as_null=False)
    if not told.is_empty():
        there = given.select("row", tag="tags").explode("tag", empty_as_null=False)
        given = _gathered(given, pl.concat([there, told]).unique(maintain_order=True), "tag", "tags")
    contradicted = given.select("row").join(conflicts(wishes), on="row", how="left", maintain_order="left")
    return _gathered(given, wishes, "wish", "wishes").select("wishes", "tags", contradicted["conflict"])


def _gathered(rows: pl.DataFrame, each: pl.DataFrame, name: str, column: str) -> pl.DataFrame:
    """Give `rows` with the list `column` of what `each` (`row` and `name`) holds for them, in its order."""
    lists = each.group_by("row", maintain_order=True).agg(pl.col(name).alias(column))
    joined = rows.drop(column).join(lists, on="row", how="left", maintain_order="left")
    return joined.with_columns(pl.col(column).fill_null([]))


def _notes(rows: pl.DataFrame) -> pl.DataFrame:
    """Give a row for each note there is: `row source text placed`, the text in one width without invisible characters."""
    long = pl.concat(
        [
            rows.select("row", "placed_at", source=pl.lit(name), text=name).filter(
                pl.col("text").is_not_null()
            )
            for name in SOURCES
        ]
    )
    unclean = pl.col("text").str.contains(_UNCLEAN)
    if not long.select(unclean.any()).item():
        return long.sort("row", maintain_order=True)
    text = pl.col("text").str.normalize("NFKC").str.replace_all(r"\p{Cf}", "")
    text = text.str.replace_all(r"\r\n?|[\x0b\x0c\x{85}\x{2028}\x{2029}]", "\n").str.replace_all(
        r"[\p{Cc}&&[^\n]]|\p{Zs}", " "
    )
    parts = [long.filter(~unclean), long.filter(unclean).with_columns(text)]
    return pl.concat(parts).sort("row", "source")


def _found(notes: pl.DataFrame, reader: NoteReader) -> pl.DataFrame:
    """Give what the notes ask for: `row source kind value avoid evidence tags`, in the order of rows and places."""
    notes = notes.with_row_index("note")
    read = _patterns(notes, reader)
    worth = (
        pl.col("text").str.contains_any(reader.sought, ascii_case_insensitive=True)
        if reader.sought
        else pl.lit(False)
    )
    worth = worth | pl.col("note").is_in(read["note"].implode())
    notes = notes.filter(worth)
    tokens = _tokens(notes, reader, read)
    tokens = tokens.join(reader.rules, on="rule", how="left", maintain_order="left").join(
        notes.select("note", "row", "source", "text"), on="note", how="left", maintain_order="left"
    )
    wished = judged(tokens.with_columns(family=pl.coalesce("day_kind", "kind")))
    wished = wished.filter(pl.col("of").is_null() | (pl.col("of") == pl.col("source")))
    wished = wished.with_columns(
        kind="family",
        value=_said(pl.coalesce("value", "read")),
        evidence=_said(part(pl.col("from"), pl.col("until"))),
        avoid=pl.col("avoid") != (pl.col("turned").fill_null(False) | pl.col("day_avoid").fill_null(False)),
        tags=pl.col("tags").fill_null([]),
    )
    dated = wished.filter(pl.col("kind").is_in(WAIT_ENDS) & pl.col("value").is_not_null())["note"]
    waits = (pl.col("kind") == WAIT).fill_null(False) & pl.col("note").is_in(dated.implode())
    # what is said of a wish elsewhere in the note is said: an invoice, and its title
    valued = wished.filter(pl.col("value").is_not_null()).select("note", "kind", "avoid").unique()
    bare = wished.filter(pl.col("value").is_null()).join(valued, on=["note", "kind", "avoid"], how="anti")
    wished = pl.concat([wished.filter(pl.col("value").is_not_null() & ~waits), bare.filter(~waits)])
    return wished.sort("row", "source", "at", "rule", maintain_order=True)


def _said(text: pl.Expr) -> pl.Expr:
    """Give `text` fit to be shown: one line, bounded, no blanks at its ends; null when nothing is left."""
    line = text.str.replace_all(r"[\s\p{Cc}]+", " ").str.strip_chars().str.head(LONGEST)
    return pl.when(line != "").then(line)


_READ = pl.Schema(
    {**_FOUND, "read": pl.String(), "day_kind": pl.String(), "day_avoid": pl.Boolean(), "order": pl.Int64()}
)


def _patterns(notes: pl.DataFrame, reader: NoteReader) -> pl.DataFrame:
    """Give the tokens patterns read (columns _READ); of two that overlap only the one that begins first."""
    parts = [pl.DataFrame(schema=_READ)]
    pairs = [(number, text) for number, rule in enumerate(reader.section.wishes) for text in rule.patterns]
    if pairs:
        any_of = "|".join(f"(?:{text})" for _, text in pairs)
        some = notes.filter(pl.col("text").str.contains(any_of))
        places = some.select(pl.col("text").str.find(text).alias(str(n)) for n, (_, text) in enumerate(pairs))
        parts += [
            _pattern(some.with_columns(at=at).drop_nulls("at"), *pairs[n], n)
            for n, at in enumerate(places)
            if at.null_count() < at.len()
        ]
    if reader.section.dates:
        parts.append(read_days(notes, reader.zone).select(_READ.names()))
    found = pl.concat(parts).sort("note", "at", "order", maintain_order=True).with_row_index("n")
    earlier = found.select("note", other="n", its_end="end")
    hidden = found.join(earlier, on="note").filter(
        (pl.col("other") < pl.col("n")) & (pl.col("at") < pl.col("its_end"))
    )
    return found.filter(~pl.col("n").is_in(hidden["n"].implode())).drop("n")


def _pattern(notes: pl.DataFrame, rule: int, pattern: str, place: int) -> pl.DataFrame:
    """Give what `pattern` matches first, `at` in each note; its value is the first group that holds anything."""
    text = pl.col("text").str
    groups = pl.select(pl.lit("").str.extract_groups(pattern)).to_series().struct.fields
    values = [text.extract(pattern, number + 1) for number in range(len(groups))]
    given = [pl.when(value != "").then(value) for value in values]
    value = pl.coalesce(given) if given else pl.lit(None, dtype=pl.String)
    return notes.select(
        "note",
        pl.col("at").cast(pl.UInt32),
        end=(pl.col("at") + text.extract(pattern, 0).str.len_bytes()).cast(pl.UInt32),
        role=pl.lit("wish"),
        rule=pl.lit(rule, dtype=pl.Int64),
        read=value,
        day_kind=pl.lit(None, dtype=pl.String),
        day_avoid=pl.lit(None, dtype=pl.Boolean),
        order=pl.lit(place, dtype=pl.Int64),
    )


def _tokens(notes: pl.DataFrame, reader: NoteReader, read: pl.DataFrame) -> pl.DataFrame:
    """Give all tokens of `notes` in the order of their places: columns of _READ, a word of two rules twice.

    Latin words inside longer ones are none, nor is what a pattern has read already.
    """
    found = notes.select(
        "note",
        "text",
        at=pl.col("text").str.find_many(reader.words, ascii_case_insensitive=True, leftmost=True),
        word=pl.col("text").str.extract_many(reader.words, ascii_case_insensitive=True, leftmost=True),
    ).filter(pl.col("at").list.len() > 0)
    found = found.explode("at", "word").with_columns(end=pl.col("at") + pl.col("word").str.len_bytes())
    text, at = pl.col("text").cast(pl.Binary), pl.col("at").cast(pl.Int64)
    before = (at > 0) & text.bin.slice(at - 1, 1).bin.encode("hex").str.contains(_LATIN_BYTE)
    behind = text.bin.slice(pl.col("end"), 1).bin.encode("hex").str.contains(_LATIN_BYTE)
    word = pl.col("word").str
    inside = (word.contains(r"^[A-Za-z0-9]") & before) | (word.contains(r"[A-Za-z0-9]$") & behind)
    found = found.filter(~inside.fill_null(False)).with_columns(pl.col("word").str.to_lowercase())
    found = found.join(reader.meanings, on="word", how="left", maintain_order="left").select(
        *_FOUND.names(),
        read=pl.lit(None, dtype=pl.String),
        day_kind=pl.lit(None, dtype=pl.String),
        day_avoid=pl.lit(None, dtype=pl.Boolean),
        order=pl.lit(-1, dtype=pl.Int64),
    )
    spans = read.select("note", its_at="at", its_end="end")
    spoken = found.with_row_index("n").join(spans, on="note")
    spoken = spoken.filter((pl.col("at") < pl.col("its_end")) & (pl.col("end") > pl.col("its_at")))
    found = found.with_row_index("n").filter(~pl.col("n").is_in(spoken["n"].implode())).drop("n")
    return pl.concat([found.select(_READ.names()), read.select(_READ.names())]).sort(
        "note", "at", "end", maintain_order=True
    )
