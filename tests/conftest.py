"""Shared fixtures. Every test leaves zero live handles of our own runtime."""

from __future__ import annotations

import gc
import importlib.util
import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
