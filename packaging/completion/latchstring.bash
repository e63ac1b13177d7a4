# latchstring.bash - completion for bash. Commands and options are asked of the program itself.

# The words of `latchstring $@ --help` that stand at the start of their lines.
_latchstring_words() {
    "$program" "$@" --help 2>/dev/null </dev/null |
        sed -n -E 's/^  (--[a-z0-9-]+).*/\1/p; /^Commands:/,/^$/s/^  ([a-z][a-z-]*) .*/\1/p'
}

# The names of the profiles in the AWS files.
_latchstring_profiles() {
    sed -n -E 's/^\[(profile +)?([^] ]+)\].*/\2/p' "${AWS_CONFIG_FILE:-$HOME/.aws/config}" \
        "${AWS_SHARED_CREDENTIALS_FILE:-$HOME/.aws/credentials}" 2>/dev/null
}

# What the value of an option may be; fails for an option without a value, or with any.
_latchstring_value() {
    case $1 in
    --method) compgen -W 'GET PUT HEAD DELETE POST' -- "$2" ;;
    --log-format) compgen -W 'text json' -- "$2" ;;
    --data) compgen -d -- "$2" ;;
    --config | --tls-cert | --tls-key | --access-log) compgen -f -- "$2" ;;
    --policy)
        compgen -W 'readonly writeonly readwrite full' -- "$2"
        compgen -f -- "$2"
        ;;
    --profile) compgen -W "$(_latchstring_profiles)" -- "$2" ;;
    --state) compgen -W 'waiting given_up' -- "$2" ;;
    --role) compgen -W 'upload link backend admin' -- "$2" ;;
    *) return 1 ;;
    esac
    return 0
}

_latchstring() {
    local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} i
    local -a command=()
    local values

    if values=$(_latchstring_value "${COMP_WORDS[COMP_CWORD - 1]}" "$word"); then
        mapfile -t COMPREPLY < <(printf '%s' "${values:+$values$'\n'}")
        return
    fi
    for ((i = 1; i < COMP_CWORD && i < 4; i++)); do
        [[ ${COMP_WORDS[i]} == [a-z]* ]] || break
        command+=("${COMP_WORDS[i]}")
        [[ ${command[*]} =~ ^(user|user key|policy|profile|remote|token|link|webhook)$ ]] || break
    done
    [[ ${command[0]} == share && $word != -* ]] && return # files
    mapfile -t COMPREPLY < <(compgen -W "$(_latchstring_words "${command[@]}")" -- "$word")
}

complete -o default -F _latchstring latchstring
