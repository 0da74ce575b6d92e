"""The lab's harness: one noun per module; ``shared.host`` is all that runs beside a submission.

A check imports :mod:`shared.check` and nothing else of this package.
"""
