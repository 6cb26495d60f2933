# shellcheck shell=bash
# The Robot API over the run's HTTP endpoint, for bash scripts that did not inherit its descriptor.
# Sourced by gopherbot_v1.sh at the first call that needs it; same contract as _gb_call.

_gb_http() {
    local _gb_json _gb_body=''
    _gb_request "$@"
    if _gb_post "$1"; then
        _gb_answer "$1" "$_gb_body"
    fi
}

# Posts the document in _gb_json and leaves the answer in _gb_body.
_gb_post() {
    local LC_ALL=C _gb_name=$1 _gb_url _gb_sock _gb_status _gb_header
    _gb_url=${GOPHER_HTTP_POST#http://} _gb_url=${_gb_url%%/*}
    if ! { exec {_gb_sock}<>"/dev/tcp/${_gb_url%:*}/${_gb_url##*:}"; } 2>/dev/null; then
        _gb_fail "$_gb_name: the robot does not answer at $GOPHER_HTTP_POST"
        return 1
    fi
    printf 'POST /json HTTP/1.0\r\nHost: %s\r\nX-Caller-ID: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
        "$_gb_url" "$CALLER_ID" "${#_gb_json}" "$_gb_json" >&"$_gb_sock" || :
    IFS= read -r -u "$_gb_sock" _gb_status || :
    while IFS= read -r -u "$_gb_sock" _gb_header && [[ $_gb_header != $'\r' ]]; do :; done
    IFS= read -r -d '' -u "$_gb_sock" _gb_body || :
    exec {_gb_sock}>&-
    if [[ $_gb_status != HTTP/*' 200'* ]]; then
        _gb_fail "$_gb_name: the robot refused the call (${_gb_status%$'\r'})"
        return 1
    fi
}

# A call whose arguments are JSON already; the answer is printed.
_gb_post_json() {
    local _gb_quoted _gb_json _gb_line _gb_body=''
    _gb_quote "${3:-${GB_FORMAT-}}"
    _gb_json="{\"FuncName\":\"${1-}\",\"Format\":$_gb_quoted,\"FuncArgs\":${2:-{\}}}"
    # Between members a line end means no more than a blank.
    _gb_json=${_gb_json//[$'\n\r']/ }
    if [[ -n $_gb_fd ]]; then
        _gb_line=$_gb_json
        _gb_shared
        _gb_body=$_gb_line
        if [[ $_gb_body == '{"Error":'* || $_gb_body == '!'* ]]; then
            _gb_fail "${1-}: $_gb_body"
            _gb_body=''
        fi
    elif [[ -z ${GOPHER_HTTP_POST-} || -z ${CALLER_ID-} ]]; then
        _gb_fail "${1-}: there is no robot to call; this script was not started by one"
    else
        _gb_post "${1-}" || :
    fi
    printf '%s\n' "$_gb_body"
}

# Leaves the request document of FUNCTION FORMAT KEY=VALUE... in _gb_json.
_gb_request() {
    local _gb_quoted _gb_args='' _gb_list='' _gb_listed='' _gb_part
    _gb_quote "${2:-${GB_FORMAT-}}"
    _gb_json="{\"FuncName\":\"$1\",\"Format\":$_gb_quoted,\"FuncArgs\":"
    for _gb_part in "${@:3}"; do
        case $_gb_part in
            Link=*)
                _gb_json+=${_gb_part#*=}\}
                return 0
                ;;
            RW=* | Shared=* | QueueTask=* | Immediate=* | HTML=* | Datum=*) _gb_args+=,\"${_gb_part%%=*}\":${_gb_part#*=} ;;
            CmdArgs=*)
                _gb_quote "${_gb_part#*=}"
                _gb_list+=,$_gb_quoted _gb_listed=yes
                ;;
            *)
                _gb_quote "${_gb_part#*=}"
                _gb_args+=,\"${_gb_part%%=*}\":$_gb_quoted
                ;;
        esac
    done
    if [[ -n $_gb_listed ]]; then
        _gb_args+=",\"CmdArgs\":[${_gb_list#,}]"
    fi
    _gb_json+="{${_gb_args#,}}}"
}

# Leaves the text as a JSON string in _gb_quoted.
_gb_quote() {
    local _gb_text=$1 _gb_char _gb_code _gb_number
    _gb_text=${_gb_text//\\/\\\\} _gb_text=${_gb_text//\"/\\\"}
    if [[ $_gb_text == *[$'\x01'-$'\x1f']* ]]; then
        for _gb_number in {1..31}; do
            printf -v _gb_code '\\u%04x' "$_gb_number"
            printf -v _gb_char '\\x%02x' "$_gb_number"
            printf -v _gb_char %b "$_gb_char"
            _gb_text=${_gb_text//"$_gb_char"/"$_gb_code"}
        done
    fi
    _gb_quoted=\"$_gb_text\"
}

# Takes the members of an answer apart; every function's answer has few, so this is no general reader.
_gb_answer() {
    local _gb_rest=$2 _gb_key _gb_item _gb_token='' _gb_exists=false _gb_datum=''
    if [[ $1 == GetTaskConfig ]]; then
        GB_CODE=0
        _gb_escape "$2"
        return 0
    fi
    GB_CODE=0
    _gb_rest=${_gb_rest#*\{}
    while [[ $_gb_rest == *\"* ]]; do
        _gb_rest=\"${_gb_rest#*\"}
        _gb_take
        _gb_key=$_gb_item
        _gb_rest=${_gb_rest#*:}
        _gb_rest=${_gb_rest#"${_gb_rest%%[! $'\t\n\r']*}"}
        _gb_take
        case $_gb_key in
            \"RetVal\") GB_CODE=$_gb_item ;;
            \"Boolean\") GB_VALUE=$_gb_item ;;
            \"StrVal\" | \"Reply\" | \"Attribute\")
                _gb_unquote
                _gb_escape "$_gb_item"
                ;;
            \"Credential\") _gb_escape "$_gb_item" ;;
            \"LockToken\") _gb_unquote && _gb_token=$_gb_item ;;
            \"Exists\") _gb_exists=$_gb_item ;;
            \"Datum\") _gb_datum=$_gb_item ;;
        esac
    done
    if [[ $1 == CheckoutDatum ]]; then
        _gb_escape "$_gb_datum"
        GB_VALUE=$_gb_token$'\t'$_gb_exists$'\t'$GB_VALUE
    fi
}

# Moves one JSON value from the front of _gb_rest to _gb_item.
_gb_take() {
    local _gb_depth=0 _gb_piece _gb_slashes
    _gb_item=
    while :; do
        case $_gb_rest in
            \"*)
                _gb_item+=\" _gb_rest=${_gb_rest#\"}
                while :; do
                    _gb_piece=${_gb_rest%%\"*}
                    _gb_item+=$_gb_piece\" _gb_rest=${_gb_rest#"$_gb_piece"} _gb_rest=${_gb_rest#\"}
                    _gb_slashes=${_gb_piece##*[!\\]}
                    if ((${#_gb_slashes} % 2 == 0)) || [[ -z $_gb_rest ]]; then break; fi
                done
                ;;
            [[{]*)
                _gb_item+=${_gb_rest:0:1} _gb_rest=${_gb_rest:1} _gb_depth=$((_gb_depth + 1))
                ;;
            []}]*)
                if ((_gb_depth == 0)); then return 0; fi
                _gb_item+=${_gb_rest:0:1} _gb_rest=${_gb_rest:1} _gb_depth=$((_gb_depth - 1))
                ;;
            ,*)
                if ((_gb_depth == 0)); then return 0; fi
                _gb_item+=, _gb_rest=${_gb_rest:1}
                continue
                ;;
            '') return 0 ;;
            *)
                _gb_piece=${_gb_rest%%[][\{\},\"]*}
                _gb_item+=$_gb_piece _gb_rest=${_gb_rest#"$_gb_piece"}
                ;;
        esac
        if ((_gb_depth == 0)); then
            _gb_item=${_gb_item%"${_gb_item##*[! $'\t\n\r']}"}
            return 0
        fi
    done
}

# Turns the JSON string in _gb_item into its text.
_gb_unquote() {
    local _gb_in=${_gb_item#\"} _gb_out='' _gb_high _gb_low
    _gb_in=${_gb_in%\"}
    while [[ $_gb_in == *\\* ]]; do
        _gb_out+=${_gb_in%%\\*} _gb_in=${_gb_in#*\\}
        case $_gb_in in
            n*) _gb_out+=$'\n' ;;
            t*) _gb_out+=$'\t' ;;
            r*) _gb_out+=$'\r' ;;
            b*) _gb_out+=$'\b' ;;
            f*) _gb_out+=$'\f' ;;
            u*)
                _gb_high=$((16#${_gb_in:1:4})) _gb_in=${_gb_in:4}
                if ((_gb_high >= 0xd800 && _gb_high < 0xdc00)) && [[ ${_gb_in:1:2} == '\u' ]]; then
                    _gb_low=$((16#${_gb_in:3:4})) _gb_in=${_gb_in:6}
                    _gb_high=$((0x10000 + ((_gb_high - 0xd800) << 10) + (_gb_low - 0xdc00)))
                fi
                _gb_utf8 "$_gb_high"
                ;;
            *) _gb_out+=${_gb_in:0:1} ;;
        esac
        _gb_in=${_gb_in:1}
    done
    _gb_item=$_gb_out$_gb_in
}

# Appends a character to _gb_out as UTF-8, whatever the locale.
_gb_utf8() {
    local _gb_bytes _gb_text
    if (($1 < 0x80)); then
        printf -v _gb_bytes '\\x%02x' "$1"
    elif (($1 < 0x800)); then
        printf -v _gb_bytes '\\x%02x\\x%02x' $((0xc0 | $1 >> 6)) $((0x80 | $1 & 0x3f))
    elif (($1 < 0x10000)); then
        printf -v _gb_bytes '\\x%02x\\x%02x\\x%02x' $((0xe0 | $1 >> 12)) $((0x80 | $1 >> 6 & 0x3f)) $((0x80 | $1 & 0x3f))
    else
        printf -v _gb_bytes '\\x%02x\\x%02x\\x%02x\\x%02x' $((0xf0 | $1 >> 18)) $((0x80 | $1 >> 12 & 0x3f)) \
            $((0x80 | $1 >> 6 & 0x3f)) $((0x80 | $1 & 0x3f))
    fi
    printf -v _gb_text %b "$_gb_bytes"
    _gb_out+=$_gb_text
}

# Leaves the text in GB_VALUE with the escapes of the descriptor form, as the callers of _gb_call expect it.
_gb_escape() {
    GB_VALUE=${1//\\/\\\\} GB_VALUE=${GB_VALUE//$'\t'/\\t}
    GB_VALUE=${GB_VALUE//$'\n'/\\n} GB_VALUE=${GB_VALUE//$'\r'/\\r}
}
