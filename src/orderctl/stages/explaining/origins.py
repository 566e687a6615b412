"""Where what an order says comes from: which entry gave each SKU, which rule each wish, what was put right, what was joined.

The answers are found again with the rules as they are now; where these would say something else than the batch does,
that is told, since then the batch is older than the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.problem import KINDS
from orderctl.model.text import Text
from orderctl.stages.normalizing.skus import DECISION
from orderctl.stages.normalizing.skus_map import ARTICLE, SCOPE, TEXTS, SkuMap, cut_texts, entries_frame
from orderctl.stages.normalizing.skus_tables import LINE
from orderctl.stages.reports.words import HOW, WHY
from orderctl.stages.rules.book import RuleBook

Row = Mapping[str, Any]
CORRECTIONS = ("address_", "contact_in_address", "phone_in_address", "phone_doubtful")
"""Problems that tell what was put right in an address, or could not be (codes, or how they begin)."""

_SOURCES = {
    "buyer_note": Text("Buyer's note"),
    "seller_note": Text("Seller's note"),
    "option": Text("an option"),
}
_WORDS_ONLY = ("spec", "title")
_PHONE = r"1[3-9]\d{9}"


@dataclass(frozen=True)
class Origins:
    """What is known of the making of one shipment, as sentences under their headings."""

    lines: tuple[Text, ...] = ()
    joined: tuple[Text, ...] = ()
    wishes: tuple[Text, ...] = ()
    address: tuple[Text, ...] = ()

    def parts(self) -> Iterator[Text]:
        """Give the sentences for a terminal, each group under its heading, empty groups left out."""
        for heading, told in self._headed():
            if told:
                yield heading
            yield from (Text("  {line}", line=one) for one in told)

    def to_json(self) -> dict[str, list[str]]:
        """Give the sentences as plain data, in English."""
        return {name: [str(one) for one in told] for name, told in vars(self).items()}

    def _headed(self) -> list[tuple[Text, tuple[Text, ...]]]:
        return [
            (Text("lines:"), self.lines),
            (Text("joining:"), self.joined),
            (Text("asked for:"), self.wishes),
            (Text("address:"), self.address),
        ]


def origins(row: Row, book: RuleBook, facts: Facts) -> Origins:
    """Tell where the SKUs, wishes, corrections and the joining of a record `shipment/1` come from."""
    orders = {order["order_id"]: order for order in row["orders"]}
    return Origins(
        lines=tuple(_lines(row, orders, book, facts)),
        joined=tuple(_joined(row)),
        wishes=_once(told for order in orders.values() for told in _wishes(order, book)),
        address=_once(told for order in orders.values() for told in _corrected(order)),
    )


def _once(sentences: Iterable[Text]) -> tuple[Text, ...]:
    return tuple({str(one): one for one in sentences}.values())


# ------------------------------------------------------------------------------------------- SKUs


@dataclass(frozen=True)
class _Entries:
    """The map of the rules with the place of each entry: columns ENTRIES and `place`, the first that wins first."""

    book: RuleBook

    @cached_property
    def table(self) -> pl.DataFrame:
        """Give the entries in their order, with `place` (`skus.xlsx:12`, `rules.yaml:14:7`)."""
        tables = []
        for number, entry in enumerate(self.book.rules.skus.entries):
            if entry.file is None:
                rules = self.book.place("skus", "map", number)
                tables.append(entries_frame([entry]).with_columns(place=pl.lit(rules)))
                continue
            found = self.book.normalize.maps[entry.file]
            line = (
                pl.concat_str(pl.lit(f"{entry.file}:"), LINE) if LINE in found.columns else pl.lit(entry.file)
            )
            tables.append(found.select(*entries_frame([]).columns, place=line))
        return pl.concat(tables) if tables else entries_frame([]).with_columns(place=pl.lit(""))

    @cached_property
    def numbered(self) -> SkuMap:
        """Give the map with the number of each entry in the place of its SKU."""
        number = pl.int_range(pl.len()).cast(pl.String)
        return SkuMap.of([self.table.drop("place").with_columns(sku=number)])

    def of(self, articles: pl.DataFrame) -> list[dict[str, Any] | None]:
        """Give the entry that each article (columns ARTICLE) finds, null where none does."""
        found = self.numbered.look_up(articles)["mapped"].to_list()
        return [None if number is None else self.table.row(int(number), named=True) for number in found]

    def perhaps(self, line: Row, made_of: Mapping[str, Sequence[str]]) -> dict[str, Any] | None:
        """Give the entry that made a line which is part of a pack or bundle, and has lost its own words."""
        ids = [name for name in (*SCOPE, *TEXTS) if name not in _WORDS_ONLY]
        same = [pl.col(name).is_null() | (pl.col(name) == pl.lit(line[name], pl.String)) for name in ids]
        makes = [sku for sku, parts in made_of.items() if line["sku"] in parts]
        is_pack = (pl.col("sku") == line["sku"]) & (pl.col("pieces") > 1)
        rows = self.table.filter(pl.all_horizontal(same) & (is_pack | pl.col("sku").is_in(makes)))
        surest = pl.sum_horizontal(pl.col(ids).is_not_null().cast(pl.Int8))
        rows = rows.sort(surest, descending=True, maintain_order=True)
        return rows.row(0, named=True) if rows.height else None


def _lines(row: Row, orders: Mapping[str, Row], book: RuleBook, facts: Facts) -> Iterator[Text]:
    """Tell of each line what it is of ours, and who says so."""
    found = [
        {**line, **{name: orders.get(line["order_id"], {}).get(name) for name in SCOPE}}
        for line in row["lines"]
    ]
    if not found:
        return
    entries, known = _Entries(book), book.normalize.known
    articles = pl.DataFrame(
        [{name: line[name] for name in ARTICLE} for line in found],
        schema_overrides=dict.fromkeys(ARTICLE, pl.String()),
    )
    as_is = entries.of(articles)
    cut = entries.of(cut_texts(articles, known.cuts))
    made_of = {
        sku: [part["part"] for part in parts]
        for sku, parts in known.bundles.select("sku", "parts").iter_rows()
    }
    said = facts.decisions.filter(pl.col("decision") == DECISION).select("subject", "reason")
    decided = dict(said.iter_rows())
    for line, exact, shorter in zip(found, as_is, cut, strict=True):
        entry = exact or shorter
        if line["kind"] == "bundle_part":
            entry = entries.perhaps(line, made_of)
        about = " | ".join(text for text in (line["title"], line["spec"]) if text) or line["line_ref"]
        how = _how(line, entry, decided, cut_away=exact is None and shorter is not None, made_of=made_of)
        what = {"sku": line["sku"] or "-", "quantity": line["quantity"], "about": about}
        yield Text("{sku} x {quantity}, {how}: {about}", **what, how=how)


def _how(
    line: Row,
    entry: Row | None,
    decided: Mapping[str, str],
    *,
    cut_away: bool,
    made_of: Mapping[str, Sequence[str]],
) -> Text:
    part = line["kind"] == "bundle_part"
    ref = line["parent_line_ref"] if part and line["parent_line_ref"] else line["line_ref"]
    of_shop = [
        f"{line['platform']}:{line['shop']}:{line[n]}" for n in ("platform_sku", "merchant_code") if line[n]
    ]
    for subject in (f"{line['order_id']}/{ref}", *of_shop):
        if subject in decided:
            return Text(
                "decided by a person for {subject} ({reason})", subject=subject, reason=decided[subject]
            )
    if line["kind"] == "gift" and not (line["title"] or line["merchant_code"]):
        return Text("a gift of the rules")
    if part:
        if entry is None:
            return Text("part of a pack or bundle, by its merchant code or words that are gone now")
        return Text(
            "part of {sku} * {pieces}, by {place}",
            sku=entry["sku"],
            pieces=entry["pieces"],
            place=entry["place"],
        )
    if entry is not None:
        if line["sku"] not in (entry["sku"], *made_of.get(entry["sku"], ())):
            return Text("{place} says {sku} now: normalize it again", place=entry["place"], sku=entry["sku"])
        by = Text("by {place}, what skus.cut cuts out left away") if cut_away else Text("by {place}")
        return Text(by.template, place=entry["place"])
    if line["sku"] is None:
        return Text("nothing says what it is")
    coded = line["merchant_code"] and line["sku"] in str(line["merchant_code"])
    return (
        Text("by its merchant code {code}", code=line["merchant_code"])
        if coded
        else Text("told by the source")
    )


# ------------------------------------------------------------------------------------------- joining


def _joined(row: Row) -> Iterator[Text]:
    merge = row["merge"]
    if not merge or not merge["how"]:
        return
    how, why = merge["how"], merge["why"]
    orders = ", ".join(order["order_id"] for order in row["orders"])
    said = {"how": Text(HOW[how]) if how in HOW else how, "why": Text(WHY[why]) if why in WHY else why or "-"}
    yield Text("{how}, {why}: {orders}", **said, orders=orders)
    if merge["with"]:
        yield Text(
            "may belong with {shipments}: orderctl merge --pin or --never {id} {other} FILE --reason ... decides",
            shipments=", ".join(merge["with"]), id=row["shipment_id"], other=merge["with"][0],
        )  # fmt: skip


# ------------------------------------------------------------------------------------------- wishes


def _wishes(order: Row, book: RuleBook) -> Iterator[Text]:
    """Tell each wish with the words that say it and the rule that read them."""
    for wish in order["wishes"]:
        wanted = " ".join(text for text in (wish["kind"], wish["value"]) if text)
        shown = {
            "what": Text("not {wish}" if wish["avoid"] else "{wish}", wish=wanted),
            "source": _SOURCES.get(wish["source"], wish["source"]),
            "evidence": _without_phones(wish["evidence"]),
        }
        rule = _rule_of(wish, book)
        if rule is None:
            yield Text("{what}, {source}: {evidence}", **shown)
        else:
            yield Text("{what}, {source}: {evidence} ({place})", **shown, place=rule)


def _rule_of(wish: Row, book: RuleBook) -> str | None:
    """Give the place of the first rule for notes that reads this wish out of its words; null for options and days."""
    if wish["source"] not in ("buyer_note", "seller_note"):
        return None
    words = wish["evidence"].lower()
    for number, rule in enumerate(book.rules.notes.wishes):
        fits = rule.wish == wish["kind"] and rule.value in (None, wish["value"])
        if not fits or (rule.of and f"{rule.of}_note" != wish["source"]):
            continue
        texts = pl.Series([wish["evidence"]])
        if any(word.lower() in words for word in rule.words) or any(
            texts.str.contains(f"(?i){pattern}").any() for pattern in rule.patterns
        ):
            return book.place("notes", "wishes", number)
    return None


def _without_phones(text: str) -> str:
    return str(pl.Series([text]).str.replace_all(_PHONE, "***")[0])


# ------------------------------------------------------------------------------------------- address


def _corrected(order: Row) -> Iterator[Text]:
    for problem in order["problems"]:
        kind = KINDS.get(problem["code"])
        if kind is None or not problem["code"].startswith(CORRECTIONS):
            continue
        values = {p["name"]: "?" if p["value"] is None else p["value"] for p in problem["params"]}
        yield Text(kind.sentence, **values)
