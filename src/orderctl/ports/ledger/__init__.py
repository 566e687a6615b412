"""The ledger: the memory of effects and commitments, and the loop that performs each effect once."""

from orderctl.model.effect import Ruling as Ruling
from orderctl.ports.ledger.ledger import Ledger as Ledger
from orderctl.ports.ledger.pending import Pending as Pending
from orderctl.ports.ledger.perform import Performed as Performed
from orderctl.ports.ledger.perform import perform as perform
from orderctl.ports.ledger.perform import perform_jobs as perform_jobs
