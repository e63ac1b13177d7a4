#!/bin/sh
# Put what was built under PREFIX, or take it away again.
# Usage: tools/install.sh install|uninstall BUILD_FOLDER PREFIX    (DESTDIR in the environment)
set -eu
cd "$(dirname "$0")/.."
action=$1
build=$2
prefix=$3
destination=${DESTDIR:-}
settings=$destination/etc/latchstring.conf

case "$prefix" in
/*) ;;
*)
    echo "PREFIX has to be an absolute path, such as /usr/local: $prefix" >&2
    exit 2
    ;;
esac
meson configure "$build" -Dprefix="$prefix"

# The libraries' folder, as the build was configured for this prefix.
library_folder() {
    meson introspect --installed "$build" | tr ',' '\n' |
        sed -n 's/.*: "\(.*\)\/liblatchstring\.a".*/\1/p'
}

# The loader looks into some folders only; its cache has to learn of a new library there.
tell_loader() {
    folder=$(library_folder)
    [ -z "$destination" ] || return 0
    if [ "$(id -u)" = 0 ]; then
        PATH="$PATH:/sbin:/usr/sbin" ldconfig
    fi
    if ! PATH="$PATH:/sbin:/usr/sbin" ldconfig -p | grep -qF "$folder/liblatchstring.so"; then
        [ "$1" = installed ] || return 0
        echo "The loader does not search $folder. Programs that use the library need:"
        echo "    export LD_LIBRARY_PATH=$folder PKG_CONFIG_PATH=$folder/pkgconfig"
    fi
}

case "$action" in
install)
    DESTDIR=$destination meson install -C "$build" --no-rebuild --quiet
    [ -e "$settings" ] || install -D -m 644 packaging/latchstring.conf "$settings"
    tell_loader installed
    echo "Installed under $destination$prefix; settings are in $settings. 'make uninstall' removes it."
    ;;
uninstall)
    meson introspect --installed "$build" | tr ',' '\n' | sed -n 's/.*: "\(\/[^"]*\)".*/\1/p' |
        while IFS= read -r path; do
            rm -f "$destination$path"
        done
    # Settings that somebody has changed stay.
    if cmp -s packaging/latchstring.conf "$settings"; then
        rm -f "$settings"
    elif [ -e "$settings" ]; then
        echo "Kept $settings, which has been changed."
    fi
    tell_loader gone
    echo "Removed from $destination$prefix. Data folders are untouched."
    ;;
*)
    echo "install.sh: unknown action '$action' (install, uninstall)" >&2
    exit 2
    ;;
esac
