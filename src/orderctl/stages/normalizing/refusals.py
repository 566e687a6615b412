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
        behind=_near("end", 1),
        started=_near("at", 1),
        left=_near("role", 1),
    )
    since = pl.col("behind").fill_null(0)
    places = places.with_columns(
        word=part(pl.col("at"), pl.col("end")),
        head=part(since, pl.col("at")),
        tail=part(pl.col("end"), None),
        rest=part(pl.col("end"), _near("at", -1)),
    ).with_columns(gap=pl.when(pl.col("behind").is_not_null()).then("head"))
    wish, left, gap, word = pl.col("role") == "wish", pl.col("left"), pl.col("gap"), pl.col("word")
    listed = wish & (pl.col("family") == _near("family", 1)) & gap.str.contains(_LISTS)
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
        "right": _near("role", -1),
        "gap_right": _near("gap", -1),
        "right_end": _near("end", -1),
        "right_used": _near("reached", -2).fill_null(False),
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
    return tokens.filter(wish).join(_of_lists(places.filter(wish)), on=["note", "at"], maintain_order="left")


def _near(name: str, steps: int) -> pl.Expr:
    """Give the value of the token `steps` before (behind, if negative) in the same note; tokens stand in order."""
    return pl.when(pl.col("note") == pl.col("note").shift(steps)).then(pl.col(name).shift(steps))


def _asked() -> pl.Expr:
    """Tell whether the clause around a word asks for it: by a verb before it, by what follows, or by nothing else."""
    head = pl.col("head").str.replace(rf"^[\s\S]*(?:{_STOP})", "")
    rest = pl.coalesce("rest", "tail").str.replace(rf"(?:{_STOP})[\s\S]*$", "")
    alone = head.str.contains(_REACHES) & (rest.str.contains(_REACHES) | rest.str.contains(_LISTS))
    return head.str.contains(_ASKS) | rest.str.strip_chars().str.contains(_GRANTS) | alone


def _of_lists(wishes: pl.DataFrame) -> pl.DataFrame:
    """Judge lists as a whole: `note at avoid from until` of those that count; the latter are where the words for it are."""
    whole = wishes.group_by("group", maintain_order=True).agg(
        pl.col("reached", "left", "started", "doubted", "past").first().name.prefix("first_"),
        pl.col("excepted", "refused_by_right", "right_end").last().name.prefix("last_"),
        unasked=pl.col("unasked").all(),
    )
    reached = pl.col("first_reached")
    only = reached & (pl.col("first_left") == "except") & pl.col("last_excepted")
    behind = pl.col("last_refused_by_right") & ~reached
    whole = whole.filter(
        behind | ~(pl.col("first_doubted") | pl.col("first_past") | (pl.col("unasked") & ~reached))
    ).select(
        "group",
        avoid=(reached & ~only) | behind,
        since=pl.when(reached).then("first_started"),
        up_to=pl.when(only | behind).then("last_right_end"),
    )
    counted = wishes.join(whole, on="group", maintain_order="left")
    return counted.select(
        "note",
        "at",
        "avoid",
        pl.coalesce("since", "at").alias("from"),
        pl.coalesce("up_to", "end").alias("until"),
    )
