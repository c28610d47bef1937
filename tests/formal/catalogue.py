"""All proofs, in the order in which they are listed."""

from tests.formal.proofs import (
    counters,
    gearbox,
    map_mover,
    pipelines,
    queues,
    read_master,
    registers,
    rescaling,
    ring,
    supervisor,
    write_master,
)

__all__ = ["PROOFS"]

PROOFS = [
    proof
    for module in (
        ring,
        gearbox,
        map_mover,
        read_master,
        write_master,
        registers,
        supervisor,
        counters,
        pipelines,
        queues,
        rescaling,
    )
    for proof in module.PROOFS
]
