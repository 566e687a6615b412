"""The regions of China as columns: names and codes of provinces, the division table, and addresses taken apart."""

from __future__ import annotations

from orderctl.model.regions.placing import LEVELS as LEVELS
from orderctl.model.regions.placing import placed as placed
from orderctl.model.regions.provinces import PROVINCES as PROVINCES
from orderctl.model.regions.provinces import province_code as province_code
from orderctl.model.regions.provinces import province_full as province_full
from orderctl.model.regions.provinces import province_of_code as province_of_code
from orderctl.model.regions.splitting import split_addresses as split_addresses
