"""Tests of the handout: its examples, its pictures, its links."""
