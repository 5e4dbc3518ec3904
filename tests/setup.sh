#!/bin/sh
# Installs what the integration tests take from Debian: prometheus with promtool, and Python's environments. Run it once, as root.
# The control plane itself needs nothing from here: it is built with Go (tests/control-plane).
set -eu

packages=prometheus
# Where Python cannot make environments, Debian's can, with its package.
python3 -c 'import ensurepip, venv' 2>/dev/null || packages="$packages python3-venv"

missing=
for package in $packages; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
    echo "everything is installed: $packages"
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "this script knows Debian and its like only; install by hand:$missing" >&2
    exit 1
fi
if [ "$(id -u)" != 0 ]; then
    echo "not root; run: sudo tests/setup.sh (it installs:$missing)" >&2
    exit 1
fi

# The tests start Prometheus themselves, on ports of their own: the package must not start it as a service.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086 # a list of words
apt-get install -q -y --no-install-recommends $missing
