# shellcheck shell=sh
# A node whose licence key was refused at its first boot: root is asked for another one.
if [ -e /etc/pextra-ce/license-refused ] && [ "$(id -u)" = 0 ] && [ -t 0 ] && [ -t 1 ]; then
    pextra-installer license
fi
