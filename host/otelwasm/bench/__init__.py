"""
Measure one plugin beside one that does nothing: how fast, how evenly, in how much memory.
"""

from otelwasm.bench.loads import Load, made_loads, of_case, read_load
from otelwasm.bench.measuring import Bench, Figures, Row, measure

__all__ = ["Bench", "Figures", "Load", "Row", "made_loads", "measure", "of_case", "read_load"]
