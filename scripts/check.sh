#!/usr/bin/env bash
# Linter, formatter, type checker, and the rule that imports run one way.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # called as `sh SCRIPT`
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=$PWD/.venv/bin/python
"$python" -m ruff check .
"$python" -m ruff format --check .
# The checkout's folders as the one package that they are installed as.
mkdir -p build/typing/mnv2
for file in sim/api/*.py; do ln -sfn "../../../$file" "build/typing/mnv2/${file##*/}"; done
for part in golden hw sim; do ln -sfn "../../../$part" "build/typing/mnv2/$part"; done
(cd build/typing && "$python" -m mypy --config-file ../../pyproject.toml --cache-dir ../mypy -m mnv2 -m mnv2.interface -p mnv2.golden -p mnv2.sim)
"$python" -m pytest --quiet --no-header -p no:cacheprovider tests/test_imports.py
