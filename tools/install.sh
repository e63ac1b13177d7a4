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

# The build has to be configured for this prefix: what is installed, and where to, is decided there.
configured=$build/install-prefix.log
meson introspect --installed "$build" | grep -qF ": \"$prefix/bin/latchstring\"" ||
    meson setup --reconfigure "$build" -Dprefix="$prefix" >"$configured" 2>&1 ||
    { cat "$configured" >&2; exit 1; }

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
    tell_loader installed
    echo "Installed under $destination$prefix."
    if [ -e "$settings" ] || install -D -m 644 packaging/latchstring.conf "$settings" 2>/dev/null; then
        echo "Settings are in $settings."
    else
        echo "Not allowed to write $settings: give your own copy of packaging/latchstring.conf with --config."
    fi
    echo "To remove it: make uninstall PREFIX=$prefix${destination:+ DESTDIR=$destination}"
    ;;
uninstall)
    meson introspect --installed "$build" | tr ',' '\n' | sed -n 's/.*: "\(\/[^"]*\)".*/\1/p' |
        while IFS= read -r path; do
            rm -f "$destination$path"
        done
    # Settings that somebody has changed stay.
    if cmp -s packaging/latchstring.conf "$settings"; then
        rm -f "$settings" 2>/dev/null || echo "Not allowed to remove $settings."
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
