"""Articles without a SKU, each once, with how often it waits and what it may be; and what another map would change.

The list is made to be completed by a person and read back as the map: the columns it asks for are filled with what
tells the article surely, the rest is for the eyes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl
from rapidfuzz import fuzz, process

from orderctl.stages.normalizing.skus import Articles, resolved
from orderctl.stages.normalizing.skus_map import ARTICLE
from orderctl.stages.normalizing.skus_tables import CANDIDATES

SEEN = pl.Schema(
    {
        **dict.fromkeys(ARTICLE, pl.String()),
        "orders": pl.Int64(),
        "units": pl.Int64(),
        "example": pl.String(),
    }
)
GUESSED_AT_MOST, LEAST_SCORE = 2000, 50
FEW = 1000  # so many names are all compared; of more, those that share rare words
_RAREST, _SHORT, _CHUNK = 8, 60, 250
_MANY = "[1-9][0-9]+|[2-9]|[两双二三四五六七八九十]"
_PACK = (  # 2双装, 三件套, x3, *5; but not 1件, and not the second side of 34x74
    rf"(?i)((?:{_MANY})\s*(?:双|件|只|个|条|盒|袋|包|瓶|片|支|对|套|块|张|卷|枚|组|pcs|pairs?)\s*[装套]?)"
    rf"|(?:^|[^0-9.])([x×*]\s*(?:[1-9][0-9]+|[2-9]))(?:[^0-9.]|$)"
)
_CHANGE = (*ARTICLE, "before", "after")
_CHANGES = pl.Schema({**dict.fromkeys(_CHANGE, pl.String()), "orders": pl.Int64(), "units": pl.Int64()})
_VARIANT = pl.struct("platform_sku", "item_ref", "spec")


def lines_of(orders: pl.DataFrame) -> pl.DataFrame:
    """Give the lines of a batch `order/1`, a row each, with `row`, `order_id`, `platform` and `shop` of their order."""
    filled = orders.with_row_index("row").filter(pl.col("lines").list.len() > 0)
    rows = filled.select("row", "order_id", "platform", "shop", pl.col("lines").alias("line"))
    return rows.explode("line").unnest("line")


def unmapped_articles(orders: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Give the articles that wait for a SKU in normalized orders (columns SEEN), and how many orders wait for them.

    Of each article: in how many orders it stands, and the units left to ship.
    """
    waits = pl.col("sku").is_null() & (pl.col("quantity_to_ship") > 0)
    lines = lines_of(orders).filter(waits)
    articles = lines.group_by(ARTICLE, maintain_order=True).agg(
        orders=pl.col("row").n_unique().cast(pl.Int64),
        units=pl.col("quantity_to_ship").sum(),
        example=pl.col("order_id").first(),
    )
    return articles, lines["row"].n_unique()


def to_complete(seen: Sequence[pl.DataFrame], known: Articles) -> pl.DataFrame:
    """Give one row for each article to be matched, the most wanted first, with its nearest SKUs.

    Args:
        seen: frames with the columns SEEN, a block of orders each.
        known: the catalogue, bundles and map that candidates are taken from.
    """
    articles = pl.concat([pl.DataFrame(schema=SEEN), *seen])
    articles = articles.group_by(ARTICLE, maintain_order=True).agg(
        pl.col("orders").sum(), pl.col("units").sum(), pl.col("example").first()
    )
    asked = _asked(articles)
    label = pl.concat_str(["title", "spec"], separator=" | ", ignore_nulls=True)
    shown = articles.select(
        *(asked[name] for name in ARTICLE),
        about=label,
        code=pl.coalesce("merchant_code", "platform_sku", "item_ref"),
        orders="orders", units="units", example="example",
        where=pl.concat_str("platform", pl.lit("/"), "shop"),
    )  # fmt: skip
    rows = shown.group_by(ARTICLE, maintain_order=True).agg(
        pl.col("about").first(), pl.col("code").first(), pl.col("orders").sum(), pl.col("units").sum(),
        pl.col("where").unique(maintain_order=True).str.join(", "), pl.col("example").first(),
    )  # fmt: skip
    by = ("about", "code", *ARTICLE)
    rows = rows.sort("orders", "units", *by, descending=[True, True] + [False] * len(by), nulls_last=True)
    pack = pl.coalesce(pl.col("about").str.extract(_PACK, n) for n in (1, 2))
    guesses = _nearest(rows, _choices(known))
    nothing = pl.lit(None, dtype=pl.String)
    return pl.concat([rows, guesses], how="horizontal").select(
        sku=nothing, choose=nothing, pieces=nothing, about="about", pack=pack, orders="orders", units="units",
        **{name: pl.col(name) for name in guesses.columns}, **{name: pl.col(name) for name in ARTICLE},
        where="where", example="example",
    )  # fmt: skip


def _asked(articles: pl.DataFrame) -> pl.DataFrame:
    """Give what tells each article surely: its code where that names one variant, else the ids, else the words.

    A code asks for no shop only where several shops use it for goods of one description.
    """
    shop = ("platform", "shop")
    code, words = pl.col("merchant_code"), pl.struct("title", "spec")
    by_code = code.is_not_null() & (_VARIANT.n_unique().over(*shop, "merchant_code") == 1)
    shops = pl.struct(shop).n_unique().over("merchant_code")
    everywhere = by_code & (shops > 1) & (words.n_unique().over("merchant_code") == 1)
    by_sku = ~by_code & pl.col("platform_sku").is_not_null()
    by_item = ~by_code & ~by_sku & pl.col("item_ref").is_not_null()
    by_words = ~by_code & ~by_sku & ~by_item
    wanted = {
        "platform": ~everywhere,
        "shop": ~everywhere,
        "merchant_code": by_code,
        "platform_sku": by_sku,
        "item_ref": by_item,
        "spec": by_item | by_words,
        "title": by_words,
    }
    return articles.select(pl.when(which).then(name).alias(name) for name, which in wanted.items())


def _choices(known: Articles) -> pl.DataFrame:
    """Give every SKU we know once, with its name: of the catalogue, of the bundles, and what the map answers."""
    named = known.catalogue.select("sku", "name")
    more = pl.concat([known.bundles["sku"], known.map.answers["sku"]]).unique(maintain_order=True)
    others = more.to_frame("sku").with_columns(name=pl.lit(None, dtype=pl.String))
    return pl.concat([named, others]).unique("sku", keep="first", maintain_order=True)


def _words(text: str | None) -> str:
    """Write a text as words for comparison: lower case, every Chinese character one word, marks as gaps."""
    marked = (f" {c} " if c > "\u2e7f" else c if c.isalnum() else " " for c in (text or "").lower())
    return " ".join("".join(marked).split())


def _nearest(rows: pl.DataFrame, choices: pl.DataFrame) -> pl.DataFrame:
    """Give the columns `candidate_1, name_1, score_1, ...` (score 0 to 100) for each of the first rows."""
    codes, names = choices["sku"].to_list(), choices["name"].to_list()
    by_code, by_name = [_words(code) for code in codes], [_words(name) for name in names]
    asked = rows.head(GUESSED_AT_MOST).select("about", "code")
    abouts = [_words(about) for about in asked["about"]]
    flat: list[list[str | int | None]] = []
    for code, about, near in zip(asked["code"], abouts, _shortlists(abouts, by_name), strict=True):
        scores = _scores(_words(code), by_code, about, {at: by_name[at] for at in near})
        best = sorted(scores, key=lambda at: (-scores[at], codes[at]))[:CANDIDATES]
        cells = [cell for at in best for cell in (codes[at], names[at], round(scores[at]))]
        flat.append(cells + [None] * (3 * CANDIDATES - len(cells)))
    flat += [[None] * (3 * CANDIDATES)] * (rows.height - len(flat))
    columns = {
        f"{name}_{n}": dtype
        for n in range(1, CANDIDATES + 1)
        for name, dtype in (("candidate", pl.String()), ("name", pl.String()), ("score", pl.Int64()))
    }
    return pl.DataFrame(flat, schema=columns, orient="row")


def _shortlists(asked: Sequence[str], names: Sequence[str]) -> Iterator[list[int]]:
    """Give, for each text asked for, the places of the names that share its rarest words: few, or all of few."""
    if len(names) <= FEW:
        yield from ([at for at, name in enumerate(names) if name] for _ in asked)
        return
    words = _exploded(names, "at").with_columns(count=pl.len().over("word")).filter(pl.col("count") <= FEW)
    for begin in range(0, len(asked), _CHUNK):
        part = asked[begin : begin + _CHUNK]
        rare = _exploded(part, "row").join(words.unique("word").select("word", "count"), on="word")
        rare = rare.filter(pl.col("count").rank("ordinal").over("row") <= _RAREST)
        shared = rare.select("row", "word").join(words, on="word").group_by("row", "at").agg(
            worth=(len(names) / pl.col("count")).log().sum()
        )  # fmt: skip
        best = (
            shared.sort("worth", "at", descending=[True, False])
            .group_by("row")
            .agg(pl.col("at").head(_SHORT))
        )
        found = dict(best.iter_rows())
        yield from (found.get(row, []) for row in range(len(part)))


def _exploded(texts: Sequence[str], place: str) -> pl.DataFrame:
    """Give the distinct words of each text: `place` and `word`."""
    frame = pl.DataFrame({"word": pl.Series(texts, dtype=pl.String)}).with_row_index(place)
    return (
        frame.with_columns(pl.col("word").str.split(" ").list.unique())
        .explode("word")
        .filter(pl.col("word") != "")
    )


def _scores(code: str, by_code: Sequence[str], about: str, by_name: Mapping[int, str]) -> dict[int, float]:
    """Give how alike the best SKUs are, by their place: the better of code against code and words against name."""
    most = 4 * CANDIDATES
    alike = process.extract(code, by_code, scorer=fuzz.ratio, limit=most, score_cutoff=LEAST_SCORE)
    scores: dict[int, float] = {at: score for _, score, at in alike if code}
    for words, score, at in process.extract(
        about, by_name, scorer=fuzz.token_set_ratio, limit=most, score_cutoff=LEAST_SCORE
    ):
        whole = 0.75 * score + 0.25 * fuzz.token_sort_ratio(about, words)  # long names before parts of them
        scores[at] = max(whole, scores.get(at, 0))
    return scores


def with_typed(rows: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """Give the rows of `to_complete` that the list as a person left it has not completed, with what he typed there.

    Args:
        rows: as `to_complete` gives them.
        listed: columns ARTICLE, `sku`, `pieces` and those of the person, as text.
    """
    own = [name for name in listed.columns if name not in rows.columns]
    seen = listed.unique(ARTICLE, keep="first", maintain_order=True)
    typed = seen.select(*ARTICLE, *own, typed="pieces", done=pl.col("sku").is_not_null())
    whole = rows.join(typed, on=ARTICLE, how="left", nulls_equal=True, maintain_order="left")
    still = whole.filter(~pl.col("done").fill_null(False))
    return still.with_columns(pieces="typed").drop("typed", "done")


def changes(orders: pl.DataFrame, before: Articles, after: Articles, decisions: pl.DataFrame) -> pl.DataFrame:
    """Give the articles of `orders` that are another SKU, or another number of it, by `after` than by `before`.

    Returns: ARTICLE, `before` and `after` (`SKU` or `SKU*PIECES`, null for none), `orders`, `units`.
    """
    lines = lines_of(orders)
    answers = [resolved(lines, known, decisions) for known in (before, after)]
    shown = pl.when(pl.col("pieces") > 1).then(pl.format("{}*{}", "sku", "pieces")).otherwise("sku")
    was, now = (found.select(shown.alias("shown")).to_series() for found in answers)
    rows = lines.with_columns(was.alias("before"), now.alias("after"))
    return (
        rows.filter(pl.col("before").ne_missing(pl.col("after")))
        .group_by(_CHANGE, maintain_order=True)
        .agg(orders=pl.col("row").n_unique().cast(pl.Int64), units=pl.col("quantity").sum())
    )


def all_changes(found: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Add up what `changes` gave for blocks of orders: `change` (new, other, lost), what it is about, and how many."""
    rows = pl.concat([pl.DataFrame(schema=_CHANGES), *found])
    summed = rows.group_by(_CHANGE, maintain_order=True).agg(pl.col("orders").sum(), pl.col("units").sum())
    change = (
        pl.when(pl.col("before").is_null()).then(pl.lit("new"))
        .when(pl.col("after").is_null()).then(pl.lit("lost"))
        .otherwise(pl.lit("other"))
    )  # fmt: skip
    about = pl.concat_str(["title", "spec"], separator=" | ", ignore_nulls=True)
    code = pl.coalesce("merchant_code", "platform_sku", "item_ref")
    return summed.select(
        change=change, platform="platform", shop="shop", code=code, about=about,
        before="before", after="after", orders="orders", units="units",
    ).sort("orders", "platform", "shop", "code", descending=[True, False, False, False], nulls_last=True)  # fmt: skip
