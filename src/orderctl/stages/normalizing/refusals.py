"""Which words of a note ask and which refuse, told by their neighbours.

What refuses reaches forward over words that only lead up to a thing (不要给我发..., do not ship by ...), and when nothing
is there, backward (圆通不要). A thing that may or may not be refused is neither asked for nor refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import polars as pl

# what ends a clause
_STOP = r"[,，。;；!！?？\n]|\.(?:\s|$)"
# what may stand between a refusal and what it refuses
_FILLERS = (
    *"发寄送走用给我您你选让再叫来派使通过择安排换拿成是任何又去做放打写开附上里了在把帮们这那个张份点件包裹货到还",
    *("快递", "物流", "速递", "请", "麻烦", "一定", "千万", "额外", "联系", "要"),
    *("use", "ship", "send", "it", "this", "by", "via", "with", "to", "me", "my", "order", "the", "any", "through", "be"),
    *("please", "parcel", "package", "want", "deliver", "delivered", "go", "choose", "using", "shipping", "shipped"),
    *("have", "get", "plastic", "paper", "extra", "more", "sent", "courier", "put", "include", "leave", "give", "need"),
    *("a", "an", "of", "in", "at", "on", "for", "us"),
)  # fmt: skip
# what may stand between the parts of a list
_AND = (
    *"、,，/和或与跟及&+",
    *("还有", "以及", "或者", "and", "or", "nor", "快递", "速递", "物流", "express", "courier"),
)
# what may stand between a thing and the refusal behind it
_BACK = (
    *"的都就请给我们货也全均皆",
    *("快递", "速递", "物流", "千万", "一律", "一概", "全部", "通通", "统统", "已经", "绝对", "包裹", "的话", "please", "is", "are"),
)  # fmt: skip
# what may stand between the one thing excepted and the refusal of all others
_BUT_ALL = (*"外的之以都就全我其他它别快递一律", "其他", "其它", "别的", "任何", "所有", "快递", "，", ",")
# what makes the last part of a list something of its own
_CALM = r"^\s*(?:吧|可以|也可|也行|就行|就可|都行|都可|优先|就好|最好|即可|please|instead|ok|is fine|is ok)"
# how a word begins that is no bare part of a list
_DOES = r"(?i)^(?:送|放|发|走|包|写|打|要|请|leave|put|pack|please)"
# what asks although a refusal stands before it
_VERB = r"(?i)(?:发|要|走|用|寄|选|换|改|只|via|by|use|with|使用)\s*$"
# how a clause ends, before a word that is asked for
_ASKS = (
    r"(?i)(?:发|走|用|寄|收|要|选|换|改|只|指定|优先|希望|最好|安排|通过|使用|叫|能|有|可以|请|via|by|use|using|with|prefer|ship|send"
    r"|through|want|need)(?:个|的|成|到|了|是|一下|给我|the|an?|it|my|this|or|[\s:：])*$"
)
# how a clause goes on, behind a word that is asked for
_GRANTS = (
    r"(?i)^(?:快递|物流|速运|速递|公司|express|ground|priority|\s)*(?:吧|呗|哈|谢|可以|也可|也行|就行|就可|都可|都行|优先|最好|发|寄|送"
    r"|到付|包邮|即可|就好|补|only|please|thanks|thank|if possible|is fine|would|preferred|[)）~～])"
)


def _only(words: Iterable[str]) -> str:
    """Give a pattern for texts made of `words` and blanks alone."""
    longest = sorted(map(re.escape, words), key=len, reverse=True)
    return rf"(?i)^(?:\s|{'|'.join(longest)})*$"


_REACHES, _LISTS, _BEFORE, _EXCEPTED = map(_only, (_FILLERS, _AND, _BACK, _BUT_ALL))


def part(start: pl.Expr, end: pl.Expr | None) -> pl.Expr:
    """Give the bytes of the column `text` from `start` up to `end` (None: its end) as text."""
    return (
        pl.col("text").cast(pl.Binary).bin.slice(start, None if end is None else end - start).cast(pl.String)
    )


def judged(tokens: pl.DataFrame) -> pl.DataFrame:
    """Give the wishes among `tokens`, with `avoid` and the part of the note that says so (`from`, `until`).

    Args:
        tokens: a row for each, in order: `note text at end role` and for a wish `family` (its kind) and `careful` (it
            must be asked for). A word of several rules is looked at once, its other rows follow the first.
    """
    places = tokens.unique(["note", "at"], keep="first", maintain_order=True)
    places = places.filter(pl.col("role") != "nothing").with_columns(
        behind=pl.col("end").shift(1).over("note"),
        started=pl.col("at").shift(1).over("note"),
        left=pl.col("role").shift(1).over("note"),
    )
    since = pl.col("behind").fill_null(0)
    places = places.with_columns(
        word=part(pl.col("at"), pl.col("end")),
        head=part(since, pl.col("at")),
        tail=part(pl.col("end"), None),
        rest=part(pl.col("end"), pl.col("at").shift(-1).over("note")),
    ).with_columns(gap=pl.when(pl.col("behind").is_not_null()).then("head"))
    wish, left, gap, word = pl.col("role") == "wish", pl.col("left"), pl.col("gap"), pl.col("word")
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
