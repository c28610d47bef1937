#!/usr/bin/env bash
# The linter, and the rule that imports run one way.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=.venv/bin/python
"$python" -m ruff check .
"$python" -m pytest --quiet --no-header -p no:cacheprovider tests/test_imports.py
