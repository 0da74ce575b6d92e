"""Tests of what README.md and docs/ show: pictures of a terminal, and commands."""
