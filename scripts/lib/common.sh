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

# configure_and_build PRESET TARGET...   (no target: everything)
configure_and_build() {
  local preset=$1
  shift
  local prefix
  prefix=$("$root/scripts/install-libfuse") || die "libfuse >= 3.18 is not to be had; see above"
  local options=()
  [ "$prefix" != system ] && options+=("-DAMPHORA_LIBFUSE_PREFIX=$prefix")
  if [ ! -e "$root/build/$preset/build.ninja" ]; then
    say "configuring preset $preset"
    (cd "$root" && cmake --preset "$preset" "${options[@]}" >"$root/build/$preset.configure.log" 2>&1) ||
      {
        tail -n 30 "$root/build/$preset.configure.log" >&2
        die "cmake --preset $preset failed"
      }
  fi
  ninja -C "$root/build/$preset" "$@"
}
