#!/usr/bin/env bash
# Install the named packages of the system that are missing: as root, or with sudo where that asks for no password.
# Without that right it names them and fails.
#
#   scripts/system_packages.sh build     # what `make setup` and `make check` need
#   scripts/system_packages.sh browser   # what the browser tests need besides
#   scripts/system_packages.sh faults    # what the tests that provoke crashes and full disks need besides
#   scripts/system_packages.sh picture   # what a picture with Chinese text needs besides
set -euo pipefail

missing=()
command_of() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }

for wanted in "$@"; do
    case "$wanted" in
    build)
        command_of python3 python3
        command_of make make
        command_of git git
        python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing+=(python3-venv)
        [ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
        ;;
    browser)
        command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || command_of chromium chromium
        ;;
    faults)
        command_of strace strace
        command_of unshare util-linux
        ;;
    picture)
        find /usr/share/fonts /usr/local/share/fonts \( -iname '*cjk*' -o -iname 'wqy*' \) -print -quit 2>/dev/null \
            | grep -q . || missing+=(fonts-wqy-microhei)
        ;;
    *)
        echo "unknown set of packages: $wanted (known: build, browser, faults, picture)" >&2
        exit 3
        ;;
    esac
done
[ "${#missing[@]}" -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo -n)
fi
if ! command -v apt-get >/dev/null 2>&1 || ! "${as_root[@]}" true 2>/dev/null; then
    echo "Missing packages of the system: ${missing[*]}. Install them, as: sudo apt-get install ${missing[*]}" >&2
    exit 1
fi
echo "Installing packages of the system: ${missing[*]}" >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
