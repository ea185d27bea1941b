"""
Speak HTTP/1.1, as a server for receivers and as a client for exporters.
"""

__all__: list[str] = []
