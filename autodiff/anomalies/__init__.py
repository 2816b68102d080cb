"""Where numbers that are not finite were born, how, and what to write instead."""

from .find import find_nan
from .rows import Anomalies, Anomaly
from .watch import AnomalyError, detect_anomaly

__all__ = ["Anomalies", "Anomaly", "AnomalyError", "detect_anomaly", "find_nan"]
