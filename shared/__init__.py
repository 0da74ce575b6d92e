"""The lab's harness: one noun per module; ``shared.host`` is all that runs beside a submission.

A check imports :mod:`shared.check`; one of images or manifests also :mod:`shared.container`,
:mod:`shared.image` and :mod:`shared.manifest`. It imports nothing else of this package.
"""
