#!/usr/bin/env bash
# Makes the virtual environment VENV, installs exactly the packages pinned in REQUIREMENTS, then orderctl itself.
# Usage: scripts/bootstrap.sh VENV REQUIREMENTS...
#
# The newest Python that is complete wins; where none is, one line says which package is missing. Needs no root.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$1
shift

say() { printf 'orderctl: %s\n' "$*" >&2; }

find_python() {
    local name incomplete=''
    for name in python3.13 python3.12 python3.11 python3; do
        "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        if "$name" -c 'import ensurepip, venv' 2>/dev/null; then
            printf '%s' "$name"
            return
        fi
        incomplete=${incomplete:-$name}
    done
    if [ -n "$incomplete" ]; then
        say "$incomplete lacks its venv module: apt install $incomplete-venv"
    elif command -v python3 >/dev/null; then
        say "Python 3.11 or newer is needed, this is $(python3 --version 2>&1): apt install python3.11 python3.11-venv"
    else
        say "Python 3.11 or newer is needed and none was found: apt install python3 python3-venv"
    fi
    return 1
}

if ! "$venv/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$(find_python)
    say "making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
fi

files=()
for file in "$@"; do files+=(--requirement "$file"); done
quiet=(--quiet)
if [ -t 2 ]; then quiet=(); fi # a terminal sees the downloads go by

say "installing the pinned packages into $venv (one to two minutes the first time)"
pip=("$venv/bin/python" -m pip --disable-pip-version-check --no-input)
if ! "${pip[@]}" install "${quiet[@]}" --require-hashes --only-binary :all: "${files[@]}"; then
    say "the packages could not be installed; see above, then run the same command again"
    exit 1
fi
# The build backend is among the pinned packages: an isolated build would fetch another, unpinned one.
"${pip[@]}" install --quiet --no-deps --no-build-isolation --editable .
