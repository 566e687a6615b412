"""Stand-ins of platforms and couriers on loopback, as strict as the originals; nothing of the program is imported here.

One folder is one stand-in, `standins.py` lists them and says what they must know. `GET /_config` gives the
orderctl.yaml of a running sandbox: every shop with its base_url and invented credentials that work. `GET /_books` tells
every effect taken (`?kind=` ship, amend, waybill, cancel, memo, refused, repeated; `?shop=`); `POST /_control` changes
the world.
"""

from orderctl.sandbox.server import Sandbox, serve

__all__ = ["Sandbox", "serve"]
