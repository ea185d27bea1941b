"""
Make the reference pages of the documentation out of what they describe.
"""
