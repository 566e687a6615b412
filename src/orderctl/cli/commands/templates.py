"""orderctl templates preview | list"""

from __future__ import annotations

from typing import Annotated

import typer

from orderctl.cli.session import Session

PreviewOpt = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="Where the preview goes: FILE.png, FILE.pdf, FILE.escpos (receipts) or a folder.",
    ),
]
DocumentOpt = Annotated[
    str, typer.Option("--document", metavar="NAME", help="label, packing-slip, picklist, card or receipt.")
]
SizeOpt = Annotated[
    str | None,
    typer.Option("--size", metavar="SIZE", help="Paper: 76x130, 100x150, a5, ...; for receipts 58 or 80."),
]
TemplateOpt = Annotated[
    str | None,
    typer.Option(
        "--template", metavar="FILE", help="A template of your own; that of the configuration by default."
    ),
]
LanguageOpt = Annotated[
    str | None,
    typer.Option("--language", metavar="LANG", help="Language of the words on the document: zh or en."),
]


def preview(
    session: Session,
    output: PreviewOpt,
    document: DocumentOpt = "label",
    size: SizeOpt = None,
    template: TemplateOpt = None,
    language: LanguageOpt = None,
) -> None:
    """Show what a template makes of invented parcels: long address, thirty lines, abroad, cash on delivery.

    A .png shows all pages in one picture, a .pdf or .escpos file is what would be printed, a folder gets one picture a page.
    """
    from orderctl.cli.previewing import preview_template

    preview_template(session, document, output, size=size, template=template, language=language)


def list_templates(session: Session) -> None:
    """List the documents, their paper and the template each is made with."""
    from orderctl.cli.previewing import show_templates

    show_templates(session)


HELP = "Preview and list the document templates."
SUBCOMMANDS = {"preview": preview, "list": list_templates}
