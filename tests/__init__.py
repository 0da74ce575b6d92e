"""Tests of the harness, and the proofs of the checks."""
