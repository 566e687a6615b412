"""Labels, packing slips, pick lists, cards and receipts: shipments and template texts in, complete bytes out.

`to_label` turns a parcel of a `shipment/1` row into what documents tell of it; the `render_` functions set lists of
these; `check_labels` reads every barcode back before a label leaves.
"""

from __future__ import annotations

from orderctl.stages.documents.cards import find_unprintable_cards as find_unprintable_cards
from orderctl.stages.documents.cards import render_cards as render_cards
from orderctl.stages.documents.characters import missing_characters as missing_characters
from orderctl.stages.documents.check import check_labels as check_labels
from orderctl.stages.documents.check import read_barcodes as read_barcodes
from orderctl.stages.documents.check import render_previews as render_previews
from orderctl.stages.documents.check import render_sheet as render_sheet
from orderctl.stages.documents.data import Document as Document
from orderctl.stages.documents.data import Label as Label
from orderctl.stages.documents.data import page_size as page_size
from orderctl.stages.documents.data import to_label as to_label
from orderctl.stages.documents.labels import find_faults as find_faults
from orderctl.stages.documents.labels import label_size as label_size
from orderctl.stages.documents.labels import render_labels as render_labels
from orderctl.stages.documents.printing import find_unprintable as find_unprintable
from orderctl.stages.documents.receipt import render_receipt as render_receipt
from orderctl.stages.documents.receipt import render_receipt_preview as render_receipt_preview
from orderctl.stages.documents.samples import sample_labels as sample_labels
from orderctl.stages.documents.slips import render_packing_slips as render_packing_slips
from orderctl.stages.documents.slips import render_picklist as render_picklist
from orderctl.stages.documents.typesetting import template_text as template_text
