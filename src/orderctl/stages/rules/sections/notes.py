"""The section `notes` of the rules: what the words of buyers and sellers ask for."""

from __future__ import annotations

from typing import Literal

import polars as pl
from pydantic import Field, field_validator, model_validator

from orderctl.model.text import Text, visible
from orderctl.model.yamlfile import Section, Wrong, reject

KIND = r"^[a-z][a-z0-9_]*$"
REFUSING = (
    *("不要", "不用", "不想", "不想要", "不必", "不需要", "不需", "不能", "不可", "不得", "不许", "不准", "不发", "不寄", "不走", "不选"),
    *("不接受", "不收", "不愿", "不喜欢", "无需", "无须", "毋", "勿", "别", "甭", "拒收", "拒绝", "谢绝", "拒", "禁用", "禁发", "禁止"),
    *("避开", "避免", "讨厌", "取消"),
    *("no", "not", "don't", "don’t", "dont", "do not", "never", "avoid", "without", "cannot", "can't", "can’t", "can not"),
    *("refuse", "hate", "won't accept", "no need", "not need", "must not", "should not", "please no"),
)  # fmt: skip
REFUSING_AFTER = (
    *("不行", "不到", "不可以", "不派送", "不派件", "不配送", "送不到", "到不了", "发不到", "没有点", "没网点", "太慢", "停发"),
    *("没有网点", "网点关了", "关了", "倒闭", "撤了", "爆仓", "停运", "没有派送", "不覆盖", "收不到"),
    *("太贵", "太差", "服务差", "态度差", "不靠谱", "停了", "经常丢", "老丢件", "is terrible", "is awful", "is too slow"),
    *("除外", "换成", "换掉", "不方便", "就算了", "is not ok", "not ok", "not allowed", "does not deliver", "doesn't deliver", "excluded"),
)  # fmt: skip
OTHERS = (
    *(
        "外都可以",
        "外都行",
        "外都可",
        "外都好",
        "外均可",
        "外其他都可以",
        "外其他都行",
        "外的都可以",
        "外的都行",
    ),
    *("外的其他都可以", "外的其他都行"),
)
EXCEPT = (
    *("除了", "除", "除开", "非", "不"),
    *("except", "except for", "anything but", "any but", "other than", "apart from", "excluding"),
)
PAST = (
    *("上次", "上回", "上一次", "之前", "以前", "往常", "前几次", "听说", "是不是", "请问是", "您发的", "你们发的", "是发"),
    *("若发", "如果发", "如果是", "如发", "要是发", "假如发", "if you use", "if you ship", "if it is", "if it's"),
    *("last time", "previous", "previously", "was sent by", "came by", "came via", "arrived by", "arrived via"),
)  # fmt: skip
NOTHING = (
    *(
        "别忘",
        "别忘了",
        "别忘记",
        "不要忘",
        "不要忘了",
        "不要忘记",
        "勿忘",
        "不要紧",
        "不要着急",
        "不用着急",
        "不急",
        "别急",
    ),
    *(
        "特别",
        "别墅",
        "区别",
        "分别",
        "级别",
        "告别",
        "别的",
        "别人",
        "个别",
        "性别",
        "非常",
        "除非",
        "不仅",
        "不光",
        "不错",
    ),
    *(
        "不能的话",
        "不行的话",
        "不到的话",
        "不管",
        "不论",
        "不但",
        "不然",
        "不好意思",
        "不着急",
        "对不起",
        "差不多",
        "要不",
        "免费",
    ),
    *("don't forget", "do not forget", "don’t forget", "no problem", "no rush", "no hurry", "not only"),
)


def shown(words: list[str]) -> list[str]:
    """Give `words` back. Raises: ValidationError for one that is blank or holds characters nobody sees."""
    for number, word in enumerate(words):
        if not word.strip() or visible(word) != word:
            reject(Wrong(Text("a word must have characters that can be seen"), loc=(number,)))
    return words


class NoteRule(Section):
    """Words and patterns, and what whoever writes them asks for."""

    wish: str | None = Field(
        None, pattern=KIND, description="kind of the wish: courier, delivery, packaging, card, invoice, ..."
    )
    value: str | None = Field(None, description="what is wished for; else the first group of the pattern")
    words: list[str] = Field(
        default_factory=list,
        description="any of them; upper and lower case are equal, Latin ones stand alone",
    )
    patterns: list[str] = Field(
        default_factory=list, description="regular expressions without look-around; a group gives the value"
    )
    but: list[str] = Field(
        default_factory=list, description="longer words in which a word means nothing, such as street names"
    )
    tags: list[str] = Field(default_factory=list, description="tags the order gets, unless it is refused")
    of: Literal["buyer", "seller"] | None = Field(
        None, description="only in notes of this side; else of both"
    )
    asked: bool = Field(
        False, description="a word counts only beside one that asks (发, 走, use, by), or alone in its clause"
    )
    refused: bool = Field(False, description="the words themselves refuse what `wish` and `value` name")

    @field_validator("words", "but", "tags")
    @classmethod
    def _are_shown(cls, value: list[str]) -> list[str]:
        return shown(value)

    @field_validator("patterns")
    @classmethod
    def _compile(cls, value: list[str]) -> list[str]:
        for number, pattern in enumerate(value):
            try:
                empty = pl.select(pl.lit("").str.contains(pattern)).item()
            except pl.exceptions.ComputeError as error:
                reason = str(error).splitlines()[-1]
                reject(Wrong(Text("not a regular expression: {reason}", reason=reason), loc=(number,)))
            if empty:
                reject(
                    Wrong(
                        Text("the pattern matches an empty text, so it would match everywhere"), loc=(number,)
                    )
                )
        return value

    @model_validator(mode="after")
    def _says_something(self) -> NoteRule:
        if not (self.words or self.patterns):
            reject(Wrong(Text("names neither words nor patterns")))
        if not (self.wish or self.tags):
            reject(Wrong(Text("gives neither a wish nor tags")))
        return self


class NotesSection(Section):
    """What notes ask for: every rule whose words are found gives its wish and tags; none shadows another."""

    dates: bool = Field(
        False, description="read days to ship or deliver on: 12月5日前发, 周五再发, ship after Dec 5"
    )
    wishes: list[NoteRule] = Field(default_factory=list, description="what to look for")
    refusing: list[str] = Field(
        default_factory=lambda: list(REFUSING), description="words that refuse what follows, or else precedes"
    )
    refusing_after: list[str] = Field(
        default_factory=lambda: list(REFUSING_AFTER), description="words that refuse what precedes"
    )
    others: list[str] = Field(
        default_factory=lambda: list(OTHERS),
        description="words that refuse what precedes, since they welcome all others",
    )
    except_for: list[str] = Field(
        default_factory=lambda: list(EXCEPT),
        description="words that refuse what follows, or ask for nothing else if a refusal comes after it",
    )
    past: list[str] = Field(
        default_factory=lambda: list(PAST), description="words after which a clause asks for nothing"
    )
    nothing: list[str] = Field(
        default_factory=lambda: list(NOTHING), description="words that only look like a refusal"
    )

    @field_validator("refusing", "refusing_after", "others", "except_for", "past", "nothing")
    @classmethod
    def _are_shown(cls, value: list[str]) -> list[str]:
        return shown(value)
