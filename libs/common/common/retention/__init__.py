"""Retention: what is forgotten because of its age, and how records leave as JSONL."""

from common.retention.exporting import EXPORTS, export
from common.retention.pruning import KINDS, Pruned, Retention
from common.retention.settings import RetentionSettings

__all__ = ["EXPORTS", "KINDS", "Pruned", "Retention", "RetentionSettings", "export"]
