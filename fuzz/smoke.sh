#!/usr/bin/env bash
# Builds every fuzz target and runs each for a short while with its seeds and the dictionary.
# Usage: smoke.sh [seconds per target, 20 unless given]
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-20}
# The crate forbids unsafe code, so speed finds more than a memory sanitizer does. README.md says how to run with one.
sanitizer=none

cargo +nightly --version >/dev/null 2>&1 || {
    echo "fuzz/smoke.sh: no nightly toolchain: rustup toolchain install nightly" >&2
    exit 1
}
cargo +nightly fuzz --version >/dev/null 2>&1 || {
    echo "fuzz/smoke.sh: no cargo-fuzz: cargo install cargo-fuzz --locked" >&2
    exit 1
}

python3 make_seeds.py --check
cargo +nightly fuzz build --sanitizer "$sanitizer"

# Runs one target; quiet about it, unless something is found.
smoke() {
    local target=$1 log
    log=$(mktemp)
    mkdir -p "corpus/$target"
    if ! cargo +nightly fuzz run --sanitizer "$sanitizer" "$target" "corpus/$target" "seeds/$target" -- \
        -dict=hookproof.dict -max_len=2048 -timeout=5 -rss_limit_mb=1024 \
        -max_total_time="$seconds" -print_final_stats=1 >"$log" 2>&1; then
        cat "$log" >&2
        echo "fuzz/smoke.sh: $target failed; the input is in fuzz/artifacts/$target" >&2
        return 1
    fi
    echo "== $target, $seconds s: $(grep -E '^Done' "$log")"
    rm "$log"
}
export -f smoke
export seconds sanitizer

# As many at a time as there are processors. xargs fails if one of them did.
cargo +nightly fuzz list | xargs -P "$(nproc)" -I {} bash -c 'set -euo pipefail; smoke {}'
