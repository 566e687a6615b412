"""What notes ask for: wishes and tags of orders, each with the words that say so. The notes stay as they are.

All words of all rules, those that refuse among them, are found in one pass (one automaton), as a table of tokens
with their places. What a token means is told by its neighbours: tokens of one kind with nothing but "and" between
them are a list, and what refuses its first or last one refuses the whole. Places are bytes of the cleaned note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from orderctl.model.records import Wish
from orderctl.model.schema import fields
from orderctl.stages.normalizing.days import read_days
from orderctl.stages.rules.sections.notes import NotesSection

WISHES = pl.List(pl.Struct(fields(Wish)))
WISH = list(fields(Wish))
SOURCES = ("buyer_note", "seller_note")
EXCLUSIVE = ("courier", "service", "warehouse", "ship_on", "ship_by", "ship_from")
"""Kinds of which a parcel can have one only: another side that asks for another one contradicts."""
WAIT = "wait"
WAIT_ENDS = ("ship_on", "ship_from")
LONGEST = 200  # characters of a value or of evidence; a note may be a letter

_UNCLEAN = r"[^ -~\x{4E00}-\x{9FFF}，。！？；：、“”‘’（）《》【】…—～·\n]"
_STOP = r"[,，。;；!！?？\n]|\.(?:\s|$)"
_FILLERS = (
    *"发寄送走用给我您你选让再叫来派使通过择安排换拿成是任何又去做放打写开附上里了在把帮们这那个张份点件包裹货到还",
    *("快递", "物流", "速递", "请", "麻烦", "一定", "千万", "额外", "联系", "要"),
    *("use", "ship", "send", "it", "this", "by", "via", "with", "to", "me", "my", "order", "the", "any", "through", "be"),
    *("please", "parcel", "package", "want", "deliver", "delivered", "go", "choose", "using", "shipping", "shipped"),
    *("have", "get", "plastic", "paper", "extra", "more", "sent", "courier", "put", "include", "leave", "give", "a", "an", "need", "of", "in", "at", "on", "for", "us"),
)  # fmt: skip
_AND = (
    *"、,，/和或与跟及&+",
    "快递",
    "速递",
    "物流",
    "还有",
    "以及",
    "或者",
    "and",
    "or",
    "nor",
    "express",
    "courier",
)
_BACK = (
    *"的都就请给我们货也全", "快递", "速递", "物流", "千万", "一律", "一概", "均", "皆", "全部", "通通", "已经", "统统", "绝对", "包裹", "的话", "please", "is", "are",
)  # fmt: skip
_BUT_ALL = (*"外的之以都就全我其他它别快递一律", "其他", "其它", "别的", "任何", "所有", "快递", "，", ",")
_CALM = r"^\s*(?:吧|可以|也可|也行|就行|就可|都行|都可|优先|就好|最好|即可|please|instead|ok|is fine|is ok)"
_DOES = r"(?i)^(?:送|放|发|走|包|写|打|要|请|leave|put|pack|please)"
_VERB = r"(?i)(?:发|要|走|用|寄|选|换|改|只|via|by|use|with|使用)\s*$"

_ASKS = (
    r"(?i)(?:发|走|用|寄|收|要|选|换|改|只|指定|优先|希望|最好|安排|通过|使用|叫|能|有|可以|请|via|by|use|using|with|prefer|ship|send"
    r"|through|want|need)(?:个|的|成|到|了|是|一下|给我|the|an?|it|my|this|or|[\s:：])*$"
)
_GRANTS = (
    r"(?i)^(?:快递|物流|速运|速递|公司|express|ground|priority|\s)*(?:吧|呗|哈|谢|可以|也可|也行|就行|就可|都可|都行|优先|最好|发|寄|送"
    r"|到付|包邮|即可|就好|补|only|please|thanks|thank|if possible|is fine|would|preferred|[)）~～])"
)
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


def _only(words: Iterable[str]) -> str:
    """Give a pattern for texts made of `words` and blanks alone."""
    longest = sorted(map(re.escape, words), key=len, reverse=True)
    return rf"(?i)^(?:\s|{'|'.join(longest)})*$"


_REACHES, _LISTS, _BEFORE, _EXCEPTED = _only(_FILLERS), _only(_AND), _only(_BACK), _only(_BUT_ALL)


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
    wishes = once.group_by("row", maintain_order=True).agg(found=pl.struct(WISH).cast(WISHES.inner))
    tags = found.filter(~pl.col("avoid") & (pl.col("tags").list.len() > 0)).explode("tags")
    told = tags.group_by("row", maintain_order=True).agg(told="tags")
    per_row = wishes.join(told, on="row", how="full", coalesce=True)
    by_hand = ~pl.element().struct.field("source").is_in(SOURCES)
    given = orders.select("wishes", "tags").with_row_index("row")
    joined = given.join(per_row, on="row", how="left", maintain_order="left")
    kept = (
        pl.when(pl.col("wishes").list.len() > 0)
        .then(pl.col("wishes").list.filter(by_hand))
        .otherwise("wishes")
    )
    joined = joined.with_columns(
        wishes=pl.when(pl.col("found").is_null()).then(kept).otherwise(pl.concat_list(kept, "found")),
        tags=pl.when(pl.col("told").list.len() > 0)
        .then(pl.concat_list("tags", "told").list.unique(maintain_order=True))
        .otherwise("tags"),
    ).select("row", "wishes", "tags")
    conflict = joined.select("row").join(_conflicts(joined), on="row", how="left", maintain_order="left")
    return joined.select("wishes", "tags", conflict["conflict"])


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
    wished = _judged(tokens.with_columns(family=pl.coalesce("day_kind", "kind")))
    wished = wished.filter(pl.col("of").is_null() | (pl.col("of") == pl.col("source")))
    wished = wished.with_columns(
        kind="family",
        value=_said(pl.coalesce("value", "read")),
        evidence=_said(_slice("text", "from", "until")),
        avoid=pl.col("avoid") != (pl.col("turned").fill_null(False) | pl.col("day_avoid").fill_null(False)),
        tags=pl.col("tags").fill_null([]),
    )
    dated = wished.filter(pl.col("kind").is_in(WAIT_ENDS) & pl.col("value").is_not_null())["note"]
    waits = (pl.col("kind") == WAIT).fill_null(False) & pl.col("note").is_in(dated.implode())
    bare = pl.col("value").is_null() & pl.col("value").is_not_null().any().over("note", "kind", "avoid")
    return wished.filter(~waits & ~bare).sort("row", "source", "at", maintain_order=True)


def _said(text: pl.Expr) -> pl.Expr:
    """Give `text` fit to be shown: one line, bounded, no blanks at its ends; null when nothing is left."""
    line = text.str.replace_all(r"[\s\p{Cc}]+", " ").str.strip_chars().str.head(LONGEST)
    return pl.when(line != "").then(line)


def _slice(text: str, start: str, end: str) -> pl.Expr:
    """Give the bytes of `text` from `start` up to `end` as text."""
    return pl.col(text).cast(pl.Binary).bin.slice(start, pl.col(end) - pl.col(start)).cast(pl.String)


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
        parts += [_pattern(some, number, text, place) for place, (number, text) in enumerate(pairs)]
    if reader.section.dates:
        parts.append(read_days(notes, reader.zone).select(_READ.names()))
    found = pl.concat(parts).sort("note", "at", "order", maintain_order=True).with_row_index("n")
    earlier = found.select("note", other="n", its_end="end")
    hidden = found.join(earlier, on="note").filter(
        (pl.col("other") < pl.col("n")) & (pl.col("at") < pl.col("its_end"))
    )
    return found.filter(~pl.col("n").is_in(hidden["n"].implode())).drop("n")


def _pattern(notes: pl.DataFrame, rule: int, pattern: str, place: int) -> pl.DataFrame:
    """Give the first place in each note that `pattern` matches; its value is the first group that holds anything."""
    text = pl.col("text").str
    groups = pl.select(pl.lit("").str.extract_groups(pattern)).to_series().struct.fields
    values = [text.extract(pattern, number + 1) for number in range(len(groups))]
    given = [pl.when(value != "").then(value) for value in values]
    value = pl.coalesce(given) if given else pl.lit(None, dtype=pl.String)
    found = notes.select("note", at=text.find(pattern), whole=text.extract(pattern, 0), read=value)
    return found.filter(pl.col("at").is_not_null()).select(
        "note",
        pl.col("at").cast(pl.UInt32),
        end=(pl.col("at") + pl.col("whole").str.len_bytes()).cast(pl.UInt32),
        role=pl.lit("wish"),
        rule=pl.lit(rule, dtype=pl.Int64),
        read="read",
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


def _judged(tokens: pl.DataFrame) -> pl.DataFrame:
    """Give the wishes among `tokens`, with `avoid` and the part of the note that says so (`from`, `until`).

    A word of several rules is one token here, so only its first row is looked at, and the others follow it.
    """
    places = tokens.unique(["note", "at"], keep="first", maintain_order=True)
    places = places.filter(pl.col("role") != "nothing").with_columns(
        behind=pl.col("end").shift(1).over("note"),
        started=pl.col("at").shift(1).over("note"),
        left=pl.col("role").shift(1).over("note"),
    )
    since = pl.col("behind").fill_null(0)
    places = places.with_columns(
        head=pl.col("text").cast(pl.Binary).bin.slice(since, pl.col("at") - since).cast(pl.String),
        tail=pl.col("text").cast(pl.Binary).bin.slice(pl.col("end")).cast(pl.String),
        rest=pl.col("text")
        .cast(pl.Binary)
        .bin.slice(pl.col("end"), pl.col("at").shift(-1).over("note") - pl.col("end"))
        .cast(pl.String),
    ).with_columns(gap=pl.when(pl.col("behind").is_not_null()).then("head"))
    wish, left, gap, word = (
        pl.col("role") == "wish",
        pl.col("left"),
        pl.col("gap"),
        _slice("text", "at", "end"),
    )
    listed = wish & (pl.col("family") == pl.col("family").shift(1).over("note")) & gap.str.contains(_LISTS)
    listed &= ~(gap.str.contains(_STOP) & (word.str.contains(_DOES) | pl.col("tail").str.contains(_CALM)))
    reached = wish & left.is_in(["refuse", "except"]) & gap.str.contains(_REACHES)
    doubted = wish & (left == "refuse") & ~gap.str.contains(_STOP) & ~gap.str.contains(_VERB)
    places = places.with_columns(
        listed=listed.fill_null(False),
        reached=reached.fill_null(False),
        doubted=(doubted & ~reached).fill_null(False),
        unasked=(wish & pl.col("careful") & ~_asked()).fill_null(False),
        past=(wish & (left == "past") & ~gap.str.contains(_STOP)).fill_null(False),
    )
    following = {
        "right": pl.col("role").shift(-1).over("note"),
        "gap_right": pl.col("gap").shift(-1).over("note"),
        "right_end": pl.col("end").shift(-1).over("note"),
        "right_used": pl.col("reached").shift(-2).over("note").fill_null(False),
        "group": (~pl.col("listed")).cum_sum(),
    }
    places = places.with_columns(**following).with_columns(
        refused_by_right=(
            (
                pl.col("right").is_in(["after", "others"])
                | ((pl.col("right") == "refuse") & ~pl.col("right_used"))
            )
            & pl.col("gap_right").str.contains(_BEFORE)
        ).fill_null(False),
        excepted=(
            pl.col("right").is_in(["refuse", "after"]) & pl.col("gap_right").str.contains(_EXCEPTED)
        ).fill_null(False),
    )
    wishes = places.filter(wish).with_columns(_of_lists())
    judged = wishes.filter(~pl.col("doubted") & ~pl.col("past") & ~pl.col("unasked")).select(
        "note", "at", "avoid", "from", "until"
    )
    return tokens.filter(wish).join(judged, on=["note", "at"], maintain_order="left")


def _asked() -> pl.Expr:
    """Tell whether the clause around a word asks for it: by a verb before it, by what follows, or by nothing else."""
    head = pl.col("head").str.replace(rf"^[\s\S]*(?:{_STOP})", "")
    rest = pl.coalesce("rest", "tail").str.replace(rf"(?:{_STOP})[\s\S]*$", "")
    alone = head.str.contains(_REACHES) & (rest.str.contains(_REACHES) | rest.str.contains(_LISTS))
    return head.str.contains(_ASKS) | rest.str.strip_chars().str.contains(_GRANTS) | alone


def _of_lists() -> list[pl.Expr]:
    """Judge lists as a whole: `avoid`, `doubted`, `past` and the words that say so, `from` and `until`."""

    def first(name: str) -> pl.Expr:
        return pl.col(name).first().over("group")

    def last(name: str) -> pl.Expr:
        return pl.col(name).last().over("group")

    excepting = first("reached") & (first("left") == "except")
    only = excepting & last("excepted")
    before, behind = first("reached") & ~only, last("refused_by_right") & ~first("reached")
    return [
        (before | behind).alias("avoid"),
        (first("doubted") & ~behind).alias("doubted"),
        (first("past") & ~behind).alias("past"),
        (pl.col("unasked").all().over("group") & ~first("reached") & ~behind).alias("unasked"),
        pl.when(first("reached")).then(first("started")).otherwise("at").alias("from"),
        pl.when(only | behind).then(last("right_end")).otherwise("end").alias("until"),
    ]


def _conflicts(orders: pl.DataFrame) -> pl.DataFrame:
    """Give (`row`, `conflict`) where two sides ask for different things, or one is both asked for and refused."""
    wish = pl.col("wish").struct
    several = orders.filter(pl.col("wishes").list.len() > 1).select("row", wish="wishes").explode("wish")
    each = several.select("row", *(wish.field(name) for name in ("kind", "value", "avoid", "source")))
    asked = each.filter(~pl.col("avoid") & pl.col("kind").is_in(EXCLUSIVE) & pl.col("value").is_not_null())
    by_side = asked.group_by("row", "kind", "source", maintain_order=True).agg(
        values=pl.col("value").unique().sort()
    )
    apart = by_side.join(by_side, on=["row", "kind"], suffix="_other").filter(
        (pl.col("source") < pl.col("source_other"))
        & (pl.col("values").list.set_intersection("values_other").list.len() == 0)
    )
    values = [pl.col(name).list.join(" ") for name in ("values", "values_other")]
    same = each.join(each.filter("avoid"), on=["row", "kind", "value"], nulls_equal=True, suffix="_other")
    texts = [
        apart.select(
            "row",
            text=pl.format("{} {} ({}), {} ({})", "kind", values[0], "source", values[1], "source_other"),
        ),
        same.filter(~pl.col("avoid")).select(
            "row",
            text=pl.format(
                "{} {} ({}), not ({})", "kind", pl.col("value").fill_null(""), "source", "source_other"
            ),
        ),
    ]
    return pl.concat(texts).group_by("row").agg(conflict=pl.col("text").unique().sort().str.join("; "))


def standing(kind: str, *, avoid: bool) -> pl.Expr:
    """Give the values of the wishes of `kind` that count, inside `list.eval` over the wishes of an order.

    The seller's word wins: what the seller asks for or refuses replaces what others asked for.
    """
    wish = pl.element().struct
    about = (wish.field("kind") == kind) & wish.field("value").is_not_null()
    sellers = about & (wish.field("source") == "seller_note")
    refused = wish.field("avoid").fill_null(False)
    mine, other = (refused, ~refused) if avoid else (~refused, refused)
    values = wish.field("value")
    contradicted = values.is_in(values.filter(sellers & other).implode())
    counts = about & mine & ((wish.field("source") == "seller_note") | ~contradicted)
    if not avoid and kind in EXCLUSIVE:
        counts &= (wish.field("source") == "seller_note") | ~(sellers & mine).any()
    return values.filter(counts)
