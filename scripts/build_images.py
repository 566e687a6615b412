"""Write docs/images/*.png from what `make demo` left: one of our own labels, and the top of the HTML report.

Needs chromium for the report, which is made in both languages. Usage: build_images.py [DEMO_FOLDER]
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pypdfium2
from PIL import Image

IMAGES = Path(__file__).parent.parent / "docs" / "images"
LABEL_DPI = 203  # what a label printer has
REPORT_SIZE = (1200, 1000)
CAPTION = "顺丰"  # a label of this courier, set by us: a supplied one has no text


def draw_label(labels: Path) -> Image.Image:
    """Give the first page that we set ourselves for the courier of CAPTION, as the printer would draw it."""
    document = pypdfium2.PdfDocument(labels)
    for page in document:
        if CAPTION in page.get_textpage().get_text_range():
            return page.render(scale=LABEL_DPI / 72, grayscale=True).to_pil().convert("L")
    raise SystemExit(f"{labels}: no label of {CAPTION}")


def draw_report(demo: Path, language: str) -> Image.Image:
    """Give the top of the report of a language as a browser shows it."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("the report needs a browser: apt install chromium")
    width, height = REPORT_SIZE
    with tempfile.TemporaryDirectory() as folder:
        page, target = Path(folder) / "report.html", Path(folder) / "report.png"
        command = [
            sys.executable,
            "-m",
            "orderctl",
            "report",
            "shipped.jsonl",
            "--lang",
            language,
            "-o",
            page,
        ]
        subprocess.run(command, cwd=demo, check=True)
        switches = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={folder}/profile"]
        shown = [f"--window-size={width},{height}", f"--screenshot={target}", page.as_uri()]
        subprocess.run([browser, *switches, *shown], check=True, capture_output=True, timeout=120)
        with Image.open(target) as drawn:
            return drawn.convert("RGB")


def main(demo: Path) -> None:
    """Write the pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    draw_label(demo / "out" / "labels.pdf").save(IMAGES / "label.png", optimize=True)
    for language, name in (("en", "report.png"), ("zh", "report.zh-CN.png")):
        report = draw_report(demo, language).quantize(128, dither=Image.Dither.NONE)
        report.save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if sys.argv[1:] else "demo"))
