"""The compiled declarations of the schema and the C interface, as cffi gives them."""

from typing import Any

ffi: Any
lib: Any
