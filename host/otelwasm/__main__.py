"""
Let `python -m otelwasm` be the command line.
"""

from otelwasm.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
