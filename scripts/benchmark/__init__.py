"""
Measure otelwasm beside its peers: every comparison in one run, on the same bytes, in turns.
"""
