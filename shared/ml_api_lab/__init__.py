"""The lab's harness. A check imports :mod:`ml_api_lab.check`, and few things beside it.

Nothing is imported here: a submission's process imports it, and pytest must stay out.
"""
