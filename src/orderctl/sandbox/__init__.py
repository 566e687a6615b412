"""Stand-ins of platforms and couriers on loopback, as strict as the originals; nothing of the program is imported here.

| stand-in | base URL below the sandbox's | credentials |
| --- | --- | --- |
| Taobao (TOP), shop `tb-demo` | `/taobao` + `/router/rest`, `/oauth/authorize`, `/oauth/token` | app_key `12345678`, app_secret `sandbox-taobao-secret`, session `sandbox-taobao-session` (reading only: `sandbox-taobao-readonly`), refresh token `sandbox-taobao-refresh` |
| Shopify, shops `sf-demo` (USD), `sf-cny` (CNY) | `/shopify/{shop}` + `/admin/api/{version}/graphql.json`, `/admin/oauth/access_token` | token `shpat_sandbox`, or client `sandbox-client` with `sandbox-client-secret` |
| Kuaidi100 | `/kuaidi100` + `/label/order` | key `sandbox-key`, secret `sandbox-secret`, partnerId `sandbox-partner` |

`GET /_books` tells every effect taken (`?kind=ship`, `waybill`, `amend`, `cancel`, `memo`, `refused`, `repeated`);
`POST /_control` changes the world (see `control.py`).
"""

from orderctl.sandbox.server import Sandbox, serve

__all__ = ["Sandbox", "serve"]
