#!/usr/bin/env bash
# Runs every check of the project. The only set-up it does is to install a software Vulkan adapter where no adapter is
# found, so that the GPU tests have one; without root it prints the command and goes on without them.
#
#   FOREGATE_REQUIRE_GPU=1   a GPU test without an adapter fails (set here once an adapter is there)
#   FOREGATE_NO_INSTALL=1    installs nothing
#   CI=1                     builds once: without the incremental caches and debug information that only a rebuild or a
#                            debugger reads (they are two thirds of the build's 10 GB)
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

install_adapter() {
  local packages="mesa-vulkan-drivers libvulkan1" sudo=
  if [ "$(uname -s)" != Linux ]; then
    echo "not Linux: the GPU tests run if the system has a GPU"
    return 1
  fi
  if have_adapter; then
    echo "found"
    return 0
  fi
  if [ "$(id -u)" != 0 ]; then sudo="sudo -n"; fi
  if [ -z "${FOREGATE_NO_INSTALL:-}" ] && command -v apt-get >/dev/null && { [ -z "$sudo" ] || sudo -n true 2>/dev/null; }; then
    export DEBIAN_FRONTEND=noninteractive
    { $sudo apt-get install -y -q --no-install-recommends $packages ||
      { $sudo apt-get update -q && $sudo apt-get install -y -q --no-install-recommends $packages; }; } >/tmp/foregate-apt.$$ 2>&1
    tail -2 /tmp/foregate-apt.$$
    rm -f /tmp/foregate-apt.$$
    have_adapter && return 0
  fi
  echo "No Vulkan driver: the GPU tests are skipped. A software one comes with:"
  echo "  sudo apt-get install $packages        (Debian, Ubuntu)"
  return 1
}

section "Vulkan adapter"
if install_adapter; then export FOREGATE_REQUIRE_GPU=1; fi

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
