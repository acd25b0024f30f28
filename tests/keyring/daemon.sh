# A private session bus and gnome-keyring on it, which ends when its bus does.

bus= keyring=
start_bus() {
    mkdir -p -m 700 "$HOME" "$XDG_DATA_HOME" "$XDG_RUNTIME_DIR"
    { read -r DBUS_SESSION_BUS_ADDRESS; read -r bus; } < <(dbus-daemon --session --fork --print-address=1 --print-pid=1)
    export DBUS_SESSION_BUS_ADDRESS
}
stop_bus() {
    [ -z "$bus" ] || kill "$bus"
    [ -z "$keyring" ] || wait "$keyring" || echo "gnome-keyring ended with $?"
    bus= keyring=
    unset DBUS_SESSION_BUS_ADDRESS
}

ask_bus() { dbus-send --session --print-reply "$@"; }

start_unlocked_keyring() {
    local try
    gnome-keyring-daemon --foreground --unlock --components=secrets <<<"password" &
    keyring=$!
    for try in {1..100}; do
        ! ask_bus --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets |
            grep -q 'boolean true' || return 0
        sleep 0.1
    done
    echo "gnome-keyring did not start"
    return 1
}
lock_keyring() {
    ask_bus --dest=org.freedesktop.secrets /org/freedesktop/secrets org.freedesktop.Secret.Service.Lock \
        array:objpath:/org/freedesktop/secrets/collection/login
}
