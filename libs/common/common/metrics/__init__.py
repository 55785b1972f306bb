"""The numbers of the system, from its records: what ended between two times, how long it took, what it cost."""

from common.metrics.figures import Distribution, Figures, Funnel, Lateness, ModelFigures, QueueFigures, WaitFigures
from common.metrics.measuring import measure, measure_funnel
from common.metrics.window import WINDOWS, NoWindow, Window

__all__ = [
    "WINDOWS",
    "Distribution",
    "Figures",
    "Funnel",
    "Lateness",
    "ModelFigures",
    "NoWindow",
    "QueueFigures",
    "WaitFigures",
    "Window",
    "measure",
    "measure_funnel",
]
