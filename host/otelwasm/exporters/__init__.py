"""
Hand telemetry on to whoever is next: one module for each built-in exporter.
"""

__all__: list[str] = []
