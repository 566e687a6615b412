"""Rebuild the two fonts of the documents from their npm packages, small enough to ship inside the wheel.

Run it from anywhere: `python scripts/build_font.py`. It needs npm and fontTools. The invariant: the same two package
versions give the same bytes (no time stamps), so a rebuild that changes nothing shows no difference.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import tempfile
from itertools import chain
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

OUT = Path(__file__).resolve().parent.parent / "src" / "orderctl" / "assets" / "fonts"
CHINESE = "@expo-google-fonts/noto-sans-sc@0.4.3", "NotoSansSC_400Regular.ttf", "NotoSansSC-Regular.ttf"
EUROPEAN = "@expo-google-fonts/noto-sans@0.4.2", "NotoSans_400Regular.ttf", "NotoSans-Regular.ttf"

# Extension A characters of the standard character table (通用规范汉字表, 2013): GBK lacks them, people's names have them.
NAME_CHARACTERS = (
    "㐂㑇㑊㕮㘎㙍㙘㙦㛃㛚㛹㟃㠇㠓㤘㥄㧐㧑㧟㫰㬊㬎㬚㭎㭕㮾㰀㳇㳘㳚㴔㵐㶲㸆㸌㺄㻬㽏㿠䁖䂮䃅䃎䅟䌹䎃䎖䏝䏡䏲䐃䓖䓛䓨䓫䓬"
    "䗖䗛䗪䗴䜣䝙䢺䢼䣘䥽䦃䲟䲠䲢䴓䴔䴕䴖䴗䴘䴙䶮"
)
SYMBOLS = (
    (0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x1E00, 0x1EFF), (0x2000, 0x206F), (0x20A0, 0x20CF),
    (0x2100, 0x27BF), (0x3000, 0x33FF), (0x9FA6, 0x9FFF), (0xFF00, 0xFFEF), (0x20000, 0x3FFFF),
)  # fmt: skip
ALPHABETS = (
    (0x20, 0x7E),
    (0xA0, 0x24F),
    (0x300, 0x36F),
    (0x370, 0x3FF),
    (0x400, 0x52F),
    (0x1E00, 0x1EFF),
    (0x20A0, 0x20CF),
)


def main() -> None:
    """Fetch, cut down and write both fonts, their licence and the list of what they can print."""
    OUT.mkdir(parents=True, exist_ok=True)
    characters: set[int] = set()
    with tempfile.TemporaryDirectory() as folder:
        for (package, source, target), wanted in ((CHINESE, chinese()), (EUROPEAN, spread(ALPHABETS))):
            files = unpack(package, Path(folder))
            font = cut(files[source], wanted)
            font.save(OUT / target)
            (OUT / f"{Path(target).stem}.OFL.txt").write_bytes(files["LICENSE_FONT"])
            characters |= set(font.getBestCmap())
    (OUT / "characters.txt").write_text(ranges(sorted(characters)), encoding="ascii")


def unpack(package: str, folder: Path) -> dict[str, bytes]:
    """Fetch one npm package; give its files by base name."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("build_font.py: npm is missing (Debian package: npm)")
    packed = subprocess.run(
        [npm, "pack", "--silent", package], cwd=folder, check=True, capture_output=True, text=True
    )
    with tarfile.open(folder / packed.stdout.strip()) as archive:
        members = [m for m in archive.getmembers() if m.isfile()]
        return {
            Path(m.name).name: data.read() for m in members if (data := archive.extractfile(m)) is not None
        }


def cut(data: bytes, wanted: set[int]) -> TTFont:
    """Keep only the wanted characters, without layout features (no ligature can change a number) and hints."""
    font = TTFont(io.BytesIO(data), recalcTimestamp=False)
    options = Options(layout_features=[], hinting=False, notdef_outline=True, glyph_names=False)
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "GDEF", "DSIG"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    return font


def chinese() -> set[int]:
    """Give every two-byte GBK character, the symbols around them and the rarer characters of names."""
    pairs = (bytes((high, low)) for high in range(0x81, 0xFF) for low in range(0x40, 0xFF))
    gbk = {
        ord(c)
        for pair in pairs
        for c in pair.decode("gbk", "ignore")
        if len(pair.decode("gbk", "ignore")) == 1
    }
    return gbk | spread(SYMBOLS) | {ord(c) for c in NAME_CHARACTERS}


def spread(spans: tuple[tuple[int, int], ...]) -> set[int]:
    """Give every code point of the spans, both ends included."""
    return set(chain.from_iterable(range(first, last + 1) for first, last in spans))


def ranges(points: list[int]) -> str:
    """Write sorted code points as lines `first-last` in hexadecimal."""
    spans: list[list[int]] = []
    for point in points:
        if spans and point == spans[-1][1] + 1:
            spans[-1][1] = point
        else:
            spans.append([point, point])
    return "".join(f"{first:x}-{last:x}\n" for first, last in spans)


if __name__ == "__main__":
    main()
