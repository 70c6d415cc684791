#!/bin/sh
# Writes requirements/*.txt: every package with all its hashes, for every supported Python and platform at once.
# `scripts/lock.sh` keeps versions that still fit; `scripts/lock.sh --upgrade` takes the newest.
set -eu
cd "$(dirname "$0")/.."
compile() {
    out=$1
    shift
    ${UV:-uv} pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "make lock" --output-file "requirements/$out.txt" "$@"
}
# The largest first; the others are held to its versions.
compile dev pyproject.toml requirements/build.in --extra embedded --extra dev "$@"
compile run pyproject.toml requirements/build.in --extra embedded --constraints requirements/dev.txt "$@"
compile base pyproject.toml --constraints requirements/dev.txt "$@"
compile build requirements/build.in --constraints requirements/dev.txt "$@"
