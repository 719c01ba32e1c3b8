# What the scripts share. Sourced by bash scripts that set -euo pipefail; needs $root, the checkout.

say() { printf '%s\n' "${0##*/}: $*"; }
die() {
  printf '%s\n' "${0##*/}: $*" >&2
  exit 1
}

# Runs a command as root, through sudo for other users; fails without a word where there is no sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    command -v sudo >/dev/null && sudo "$@"
  fi
}

# The FUSE device: root can load the kernel's module, and udev opens the device to everybody.
require_fuse() {
  [ -c /dev/fuse ] || as_root modprobe fuse 2>/dev/null || true
  [ -c /dev/fuse ] || die "/dev/fuse is missing: this kernel, or this container, has no FUSE"
  { [ -r /dev/fuse ] && [ -w /dev/fuse ]; } ||
    die "/dev/fuse is closed to $(id -un): root can open it by: chmod 666 /dev/fuse"
}

# The packages of the given sections of scripts/lib/packages, a line each, without those whose command is there.
packages_of() {
  local section package command
  for section in "$@"; do
    while IFS='=' read -r package command; do
      [ -n "$command" ] && command -v "$command" >/dev/null && continue
      echo "$package"
    done < <(awk -v section="$section" '$1 == section { print $2 }' "$root/scripts/lib/packages")
  done
}

# What is missing of the given sections, a line each.
missing_packages() {
  local wanted
  mapfile -t wanted < <(packages_of "$@")
  comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
      awk '$1 == "installed" { print $2 }' | sort -u)
}

# Installs what is missing of the given sections; calls apt only when something is. Who can't become root is told
# what to ask for.
install_packages() {
  command -v dpkg-query >/dev/null ||
    die "this is no Debian; install by hand what scripts/lib/packages names, for: $*"
  local missing options=(-qq -y --no-install-recommends -o Dpkg::Use-Pty=0)
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    die_for_packages "${missing[@]}"
  fi
  say "installing ${missing[*]}"
  { as_root apt-get -qq update &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install "${missing[@]}" >/dev/null; } ||
    die_for_packages "${missing[@]}"
}

die_for_packages() {
  say "these Debian packages are missing: $*" >&2
  die "root can install them by: apt-get install --no-install-recommends $*"
}

# FUSE over io_uring is off in a fresh kernel; without it the tests of it have nothing to test.
enable_fuse_uring() {
  local uring=/sys/module/fuse/parameters/enable_uring
  if [ -e "$uring" ] && [ "$(cat "$uring")" != Y ] && [ "$(id -u)" -eq 0 ]; then
    echo Y >"$uring"
  fi
}

# run_suite PRESET [CTEST OPTION]...: every test that the options choose, then the closing line with the counts. Fails
# on a failure and on a skip that is not allowed.
run_suite() {
  local preset=$1 reports=$root/build/$1/reports status=0
  shift
  rm -rf "$reports"
  mkdir -p "$reports/gtest"
  GTEST_OUTPUT="xml:$reports/gtest/" ctest --test-dir "$root/build/$preset" -j2 --output-on-failure \
    --no-tests=error --output-junit "$reports/ctest.xml" "$@" || status=$?
  python3 "$root/scripts/lib/summary.py" "$reports" "$root/tests/allowed-skips" || status=1
  return "$status"
}

# configure_and_build PRESET TARGET...   (no target: everything)
# A build directory keeps the values of the presets that it was configured by, until it is configured again.
configure_and_build() {
  local preset=$1
  shift
  local prefix
  prefix=$("$root/scripts/install-libfuse") || die "libfuse >= 3.18 is not to be had; see above"
  local options=()
  [ "$prefix" != system ] && options+=("-DAMPHORA_LIBFUSE_PREFIX=$prefix")
  if [ ! "$root/build/$preset/build.ninja" -nt "$root/CMakePresets.json" ]; then
    say "configuring preset $preset"
    (cd "$root" && cmake --preset "$preset" "${options[@]}" >"$root/build/$preset.configure.log" 2>&1) ||
      {
        tail -n 30 "$root/build/$preset.configure.log" >&2
        die "cmake --preset $preset failed"
      }
  fi
  ninja -C "$root/build/$preset" "$@"
}
