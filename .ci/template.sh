#!/usr/bin/env bash
# Checks template.yaml, builds the function as `sam deploy` would upload it, and checks the build.
#
# Needs: python3 (3.11 or later) with venv, a Rust toolchain by rustup, and binutils. The Python
# tools are those of .ci/python-tools; all that is made stays under target/. No AWS account: neither
# credentials nor a region are looked at, and after the installation nothing but cargo's own
# downloads uses the network.
set -euo pipefail

readonly VENV=target/ci-venv
readonly BUILD=target/sam
readonly ARTEFACT=$BUILD/Function/bootstrap

# The architecture that template.yaml names, as Rust and as readelf call it.
readonly TARGET=x86_64-unknown-linux-gnu
readonly MACHINE='Advanced Micro Devices X86-64'
# Amazon Linux 2023's glibc. A symbol of a later one makes the function die while it's being loaded.
readonly MAX_GLIBC=2.34
# A growth to watch: the cold start loads every byte.
readonly MAX_BYTES=$((8 * 1024 * 1024))
# What the provided.al2023 runtime has; nothing else is uploaded with the executable.
readonly LIBRARIES='^(libc|libm|libdl|librt|libpthread|libgcc_s|ld-linux-x86-64)\.so\.[0-9]+$'

step() { printf '== %s\n' "$*"; }
fail() {
  printf 'template.sh: %s\n' "$*" >&2
  exit 1
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."

prepare_environment() {
  # The venv first: cargo finds `cargo lambda`, and that finds `python3 -m ziglang`, on the PATH.
  PATH=$PWD/$VENV/bin:$PATH
  if ! command -v cargo >/dev/null; then
    PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
  fi
  export PATH

  # SAM keeps what it remembers in this directory and not in the home directory. Told that it has
  # looked for a newer version just now, it doesn't ask for one. (Seconds need a fraction: it takes
  # a whole number for none.)
  export SAM_CLI_TELEMETRY=0
  export __SAM_CLI_APP_DIR=$PWD/$VENV/sam
  mkdir -p "$__SAM_CLI_APP_DIR"
  printf '{"telemetryEnabled": false, "lastVersionCheck": %s.0}\n' "$(date +%s)" \
    >"$__SAM_CLI_APP_DIR/metadata.json"
}

check_template() {
  step 'cfn-lint'
  cfn-lint template.yaml

  step 'sam validate --lint'
  sam validate --lint --template-file template.yaml
}

build() {
  # SAM can't pass --locked on, so an outdated lock would be mended unasked. It fails here instead.
  step 'cargo fetch --locked'
  cargo fetch --quiet --locked --target "$TARGET"

  # Never --cached: that looks at the function's own directory and not at the other crates.
  step 'sam build'
  sam build --template-file template.yaml --build-dir "$BUILD"
}

check_artefact() {
  step 'the artefact'
  [[ -x $ARTEFACT ]] || fail "$ARTEFACT is missing or can't be executed"

  local header
  header=$(LC_ALL=C readelf --file-header "$ARTEFACT" 2>/dev/null) ||
    fail "$ARTEFACT is no ELF file"
  grep --quiet --extended-regexp "Machine: +$MACHINE\$" <<<"$header" ||
    fail "$ARTEFACT is for another machine than $MACHINE"

  local library libraries
  libraries=$(LC_ALL=C readelf --wide --dynamic "$ARTEFACT" |
    sed --quiet 's/.*(NEEDED).*\[\(.*\)\]$/\1/p')
  for library in $libraries; do
    [[ $library =~ $LIBRARIES ]] || fail "$ARTEFACT needs $library, which the runtime lacks"
  done

  # A statically linked one would name no version at all, and that's fine too.
  local glibc
  glibc=$(LC_ALL=C readelf --wide --version-info "$ARTEFACT" |
    sed --quiet 's/.*Name: GLIBC_\([0-9.]*\).*/\1/p' | sort --version-sort | tail --lines=1)
  [[ $(printf '%s\n' "${glibc:-0}" "$MAX_GLIBC" | sort --version-sort | tail --lines=1) == "$MAX_GLIBC" ]] ||
    fail "$ARTEFACT needs glibc $glibc, but the runtime has $MAX_GLIBC"

  local bytes
  bytes=$(stat --format=%s "$ARTEFACT")
  ((bytes <= MAX_BYTES)) || fail "$ARTEFACT has $bytes bytes, more than $MAX_BYTES"

  printf '%s: %d bytes (of %d at most), glibc %s (of %s), libraries: %s\n' \
    "$ARTEFACT" "$bytes" "$MAX_BYTES" "${glibc:-none}" "$MAX_GLIBC" "${libraries//$'\n'/ }"
}

.ci/python-tools
prepare_environment
check_template
build
check_artefact
