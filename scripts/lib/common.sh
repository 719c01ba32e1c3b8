# What the scripts share. Sourced by bash scripts that set -euo pipefail; needs $root, the checkout.

say() { printf '%s\n' "${0##*/}: $*"; }
die() {
  printf '%s\n' "${0##*/}: $*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "root is needed for: $* (there is no sudo either)"
  fi
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

# Installs what is missing of the given sections; calls apt only when something is.
install_packages() {
  command -v dpkg-query >/dev/null ||
    die "this is no Debian; install by hand what scripts/lib/packages names, for: $*"
  local wanted missing
  mapfile -t wanted < <(packages_of "$@")
  missing=$(comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
      awk '$1 == "installed" { print $2 }' | sort -u))
  [ -z "$missing" ] && return 0
  say "installing $(echo "$missing" | tr '\n' ' ')"
  as_root apt-get -qq update
  # shellcheck disable=SC2086 # a list of words
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
    -o Dpkg::Use-Pty=0 install $missing >/dev/null
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
