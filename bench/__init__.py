"""Measures the program beside an empty Pulumi program and beside the manual's steps: `make bench`.

Everything runs on an embedded platform of its own. The figures are for people, as ratios; no test depends on them.
"""
