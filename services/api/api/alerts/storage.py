"""Whether a stream or a bucket is nearly full: what is full refuses what comes."""

from nats.js import JetStreamContext

from api.alerts.ports import Finding
from common.contracts import Topology, topology

SERIOUS = 0.95


class StorageCheck:
    """Compares the size of each stream and bucket with its limit, and finds those above `share` of it."""

    kinds = ("storage_full",)

    def __init__(
        self, stream: JetStreamContext, every_seconds: float, share: float, contracts: Topology | None = None
    ) -> None:
        self.every_seconds = every_seconds
        self._stream = stream
        self._share = share
        contracts = contracts or topology()
        # Others forget their oldest messages all the time; of letters none should be forgotten that somebody may want.
        self._names = {
            name: f"the stream {name}"
            for name, stream in contracts.streams.items()
            if stream.retention == "interest" or name == "DEADLETTER"
        } | {f"OBJ_{name}": f"the bucket {name}" for name in contracts.buckets}

    async def find(self) -> list[Finding]:
        """Return what is nearly full."""
        findings = []
        for name, said in self._names.items():
            info = await self._stream.stream_info(name)
            limit = info.config.max_bytes or 0
            share = info.state.bytes / limit if limit > 0 else 0.0
            if share >= self._share:
                findings.append(
                    Finding(
                        kind="storage_full",
                        about=name,
                        severity="error" if share >= SERIOUS else "warning",
                        title=f"{said[0].upper()}{said[1:]} is {share:.0%} full",
                        detail=f"It holds {info.state.bytes:,} of {limit:,} bytes. See what is behind "
                        "(`postroom queues`), or raise max_bytes in subjects.yaml and migrate.",
                    )
                )
        return findings
