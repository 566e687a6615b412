"""Chinese sentences of reading notes."""

SENTENCES: dict[str, str] = {
    "a word must have characters that can be seen": "关键词必须含有看得见的字符",
    "the pattern matches an empty text, so it would match everywhere": "该正则能匹配空文本，会处处命中",
    "names neither words nor patterns": "既没有 words 也没有 patterns",
    "gives neither a wish nor tags": "既没有 wish 也没有 tags",
    "the notes contradict each other: {wishes}": "备注互相矛盾：{wishes}",
    "the seller's word counts; mend the note at the platform if it is wrong": "以卖家备注为准；如有误，请到平台修改备注",
}
