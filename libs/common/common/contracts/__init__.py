"""Contracts: the topology, the JSON Schema of every event, and examples that must decode for ever."""

from common.contracts.topology import Durable, Topology, topology

__all__ = ["Durable", "Topology", "topology"]
