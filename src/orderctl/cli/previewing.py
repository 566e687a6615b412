"""Looking at document templates before anything is printed with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast, get_args

import polars as pl

from orderctl.cli.config import read_text
from orderctl.cli.session import Session
from orderctl.cli.tabling import is_terminal, write_tables
from orderctl.model.errors import CannotCreate, UsageError
from orderctl.model.table import Table
from orderctl.model.text import Text
from orderctl.ports.sheets import write_bytes
from orderctl.stages import documents
from orderctl.stages.documents.words import Language
from orderctl.stages.plans.prints import DOCUMENTS

SIZES = {"packing-slip": "a5", "picklist": "a4", "card": "100x150", "receipt": "80"}
_RENDER: dict[str, Callable[..., documents.Document]] = {
    "label": documents.render_labels,
    "packing-slip": documents.render_packing_slips,
    "picklist": documents.render_picklist,
    "card": documents.render_cards,
}


def preview_template(
    session: Session,
    document: str,
    output: str,
    *,
    size: str | None,
    template: str | None,
    language: str | None,
) -> None:
    """Set the sample parcels with a template and write what comes out, as `output` says.

    Raises: UsageError; ConfigError if the template is wrong; InputMissing, CannotCreate, OutputFailed.
    """
    if document not in DOCUMENTS:
        known = ", ".join(DOCUMENTS)
        raise UsageError(Text("unknown document {name}: give one of {known}", name=document, known=known))
    chosen = language or session.config.print.language
    if chosen not in get_args(Language):
        raise UsageError(Text("--language {value}: give zh or en", value=chosen))
    paper = size or _size(session, document)
    write = _receipt if document == "receipt" else _document
    pages = write(session, document, output, paper, template, cast(Language, chosen))
    session.console.summary(
        Text("{document}: {pages} pages on {size} in {path}", document=document, pages=pages, size=paper, path=output),
        document=document, pages=pages, size=paper, path=output,
    )  # fmt: skip


def show_templates(session: Session) -> None:
    """Write the table of documents to stdout."""
    locale = session.console.locale
    headings = {
        "document": Text("Document").render(locale),
        "paper": Text("Paper").render(locale),
        "template": Text("Template").render(locale),
    }
    rows = [(name, _size(session, name), _origin(session, name).render(locale)) for name in DOCUMENTS]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(headings, pl.String), orient="row")
    table = Table("templates", Text("Document templates").render(locale), frame, headings)
    write_bytes(write_tables([table], to_terminal=is_terminal("-"), titles=False), "-")


def _document(
    session: Session, document: str, output: str, paper: str, template: str | None, language: Language
) -> int:
    """Write a document that is made with a template; give its pages."""
    ending = _ending(document, output, (".png", ".pdf"))
    named = template or _configured(session, document)
    own = read_text(Path(named)) if named else None
    source = {"source": named} if named else {}
    made = _RENDER[document](documents.sample_labels(), size=paper, language=language, template=own, **source)
    if ending == ".pdf":
        write_bytes(made.content, output)
    elif ending == ".png":
        write_bytes(documents.render_sheet(made), output)
    else:
        _write_pages(Path(output), document, documents.render_previews(made))
    return made.pages


def _receipt(
    _: Session, document: str, output: str, paper: str, template: str | None, language: Language
) -> int:
    """Write a receipt, which has no template; give how many."""
    ending = _ending(document, output, (".png", ".escpos"))
    if template:
        raise UsageError(Text("a receipt has no template file"))
    if paper not in ("58", "80"):
        raise UsageError(Text("--size {value}: give 58 or 80 for receipts", value=paper))
    labels, paper_mm = documents.sample_labels(), int(paper)
    if ending == ".escpos":
        made = documents.render_receipt(labels, paper_mm=paper_mm, language=language)
        write_bytes(made.content, output)
    elif ending == ".png":
        write_bytes(documents.render_receipt_preview(labels, paper_mm=paper_mm, language=language), output)
    else:
        pictures = [
            documents.render_receipt_preview([label], paper_mm=paper_mm, language=language)
            for label in labels
        ]
        _write_pages(Path(output), document, pictures)
    return len(labels)


def _ending(document: str, output: str, fitting: Sequence[str]) -> str:
    """Give the ending that says what to write, "" for a folder. Raises: UsageError."""
    path = Path(output)
    ending = path.suffix.lower()
    if path.is_dir() or output.endswith("/") or (not ending and output != "-"):
        return ""
    if ending not in fitting:
        raise UsageError(
            Text("--output {path}: not for {document}", path=output, document=document),
            hint=Text(
                "receipts come as .png, .escpos or in a folder, other documents as .png, .pdf or in a folder"
            ),
        )
    return ending


def _write_pages(folder: Path, document: str, pictures: Sequence[bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotCreate(Text("cannot create {path}: {why}", path=folder, why=error.strerror)) from error
    for page, picture in enumerate(pictures, 1):
        write_bytes(picture, str(folder / f"{document}-{page}.png"))


def _size(session: Session, document: str) -> str:
    return SIZES.get(document) or session.config.print.size


def _configured(session: Session, document: str) -> str | None:
    named = session.config.print.templates.get(document)
    return str(session.base / named) if named else None


def _origin(session: Session, document: str) -> Text:
    if document == "receipt":
        return Text("none, by rules of its own")
    named = _configured(session, document)
    return Text("{path}", path=named) if named else Text("shipped")
