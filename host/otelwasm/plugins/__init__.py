"""
Run plugins: load a component, instantiate it, pass batches through it, contain what goes wrong.
"""
