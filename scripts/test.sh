#!/usr/bin/env bash
# Runs every check of the project. The only set-up it does is to install a software Vulkan adapter where no adapter is
# found, so that the GPU tests have one, and under CI a browser for the report's tests; without root it prints the command
# and goes on without them.
#
#   FOREGATE_REQUIRE_GPU=1       a GPU test without an adapter fails (set here once an adapter is there)
#   FOREGATE_REQUIRE_BROWSER=1   a test of the report without a browser fails (set here once a browser is there)
#   FOREGATE_NO_INSTALL=1        installs nothing
#   CI=1                         installs a browser (800 MB with what it needs), and builds once: without the incremental
#                                caches and debug information that only a rebuild or a debugger reads (they are two
#                                thirds of the build's 10 GB)
set -u
cd "$(dirname "$0")/.."
if [ -n "${CI:-}" ]; then export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0; fi
failed=()

section() { printf '\n==== %s\n' "$*"; }

step() { # step NAME COMMAND...
  section "$1"
  shift
  "$@" || failed+=("$*")
}

# A software adapter, or a driver and a card for it.
have_adapter() {
  PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1' || return 1
  ls /usr/share/vulkan/icd.d/lvp_icd*.json >/dev/null 2>&1 && return 0
  ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json 2>/dev/null | grep -q . &&
    ls /dev/dri/renderD* /dev/nvidia0 2>/dev/null | grep -q .
}

have_browser() {
  for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
    command -v "$name" >/dev/null && return 0
  done
  return 1
}

# Installs Debian packages as root, or prints the command.
install() { # install WHAT PACKAGE...
  local what=$1 sudo= log
  shift
  if [ "$(id -u)" != 0 ]; then sudo="sudo -n"; fi
  if [ -z "${FOREGATE_NO_INSTALL:-}" ] && command -v apt-get >/dev/null && { [ -z "$sudo" ] || sudo -n true 2>/dev/null; }; then
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    { $sudo apt-get install -y -q --no-install-recommends "$@" ||
      { $sudo apt-get update -q && $sudo apt-get install -y -q --no-install-recommends "$@"; }; } >"$log" 2>&1
    tail -2 "$log"
    rm -f "$log"
  else
    echo "No $what. One comes with:"
    echo "  sudo apt-get install $*        (Debian, Ubuntu)"
  fi
}

section "Vulkan adapter"
if [ "$(uname -s)" != Linux ]; then
  echo "not Linux: the GPU tests run if the system has a GPU"
else
  have_adapter || install "Vulkan driver, so the GPU tests are skipped" mesa-vulkan-drivers libvulkan1
  if have_adapter; then
    echo "found"
    export FOREGATE_REQUIRE_GPU=1
  fi
fi

section "browser"
if [ -n "${CI:-}" ] && ! have_browser; then install "browser, so the report's page is not looked at" chromium; fi
if have_browser; then
  echo "found"
  export FOREGATE_REQUIRE_BROWSER=1
else
  echo "none: the tests that look at the report's page are skipped"
fi

step "format" cargo fmt --check
step "lints" cargo clippy --locked --all-targets -- -D warnings
step "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --quiet
step "documentation tests" cargo test --locked --doc --quiet
if cargo nextest --version >/dev/null 2>&1; then
  step "tests" cargo nextest run --locked --no-fail-fast
else
  step "tests" cargo test --locked --no-fail-fast --lib --bins --tests
fi

if [ ${#failed[@]} -gt 0 ]; then
  section "failed"
  printf '%s\n' "${failed[@]}"
  exit 1
fi
