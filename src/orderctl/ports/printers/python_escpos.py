"""The transports of python-escpos, and what its import leaves behind put away.

Importing it takes a third of a second and makes a folder of its own in the temporary directory each time.
"""

from __future__ import annotations

import os
import shutil

from escpos import capabilities
from escpos.exceptions import DeviceNotFoundError as DeviceNotFoundError
from escpos.printer import Serial as Serial
from escpos.printer import Usb as Usb

if "ESCPOS_CAPABILITIES_PICKLE_DIR" not in os.environ:
    shutil.rmtree(capabilities.pickle_dir, ignore_errors=True)
