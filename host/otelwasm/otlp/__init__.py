"""
Know OTLP: its messages, their JSON form, their bytes on the wire, its answers to a sender.
"""

__all__: list[str] = []
