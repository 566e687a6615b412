#!/usr/bin/env bash
# Installs the Debian packages that tests need (tests/debian-packages.txt) as far as root and apt allow.
# What stays missing is named by the test run itself, which then fails unless told otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."

PATH=$PATH:/usr/sbin:/sbin
missing=()
while read -r group program package; do
    case $group in '' | '#'*) continue ;; esac
    command -v "$program" >/dev/null || missing+=("$package")
done <tests/debian-packages.txt

if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    printf 'orderctl: some tests need packages that are not installed: apt install %s\n' "${missing[*]}" >&2
    exit 0
fi

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get --quiet --yes -o DPkg::Lock::Timeout=300)
printf 'orderctl: installing %s\n' "${missing[*]}" >&2
"${apt[@]}" update >/dev/null || true # an old list may still do
for package in "${missing[@]}"; do
    # One by one: a package that this distribution lacks must not keep the others out.
    "${apt[@]}" install --no-install-recommends "$package" </dev/null >/dev/null ||
        printf 'orderctl: %s could not be installed\n' "$package" >&2
done
