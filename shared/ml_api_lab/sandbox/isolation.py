"""Isolation on the checks' side."""

from __future__ import annotations

from ml_api_lab.protocol.confinement import Confinement
