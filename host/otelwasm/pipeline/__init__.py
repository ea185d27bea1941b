"""
Carry a batch from a receiver through the processors to every exporter's queue, and deliver it.
"""

__all__: list[str] = []
