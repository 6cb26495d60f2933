# shellcheck shell=bash
# The Robot API for bash extensions:
#
#     source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"
#
# Every method of the Robot API is a function of the same name. A method's RetVal is the exit status, what it
# answers is printed. Message and prompt functions take a format flag first: -f fixed, -r raw, -v variable,
# -m or -b basic markdown. Nothing here starts a program: a call is one line written and one line read.

GBRET_Ok=0 GBRET_UserNotFound=1 GBRET_ChannelNotFound=2 GBRET_AttributeNotFound=3 GBRET_FailedMessageSend=4
GBRET_FailedChannelJoin=5 GBRET_DatumNotFound=6 GBRET_DatumLockExpired=7 GBRET_DataFormatError=8
GBRET_BrainFailed=9 GBRET_InvalidDatumKey=10 GBRET_InvalidConfigPointer=11 GBRET_ConfigUnmarshalError=12
GBRET_NoConfigFound=13 GBRET_RetryPrompt=14 GBRET_ReplyNotMatched=15 GBRET_UseDefaultValue=16
GBRET_TimeoutExpired=17 GBRET_Interrupted=18 GBRET_MatcherNotFound=19 GBRET_NoUserEmail=20 GBRET_NoBotEmail=21
GBRET_MailError=22 GBRET_TaskNotFound=23 GBRET_MissingArguments=24 GBRET_InvalidStage=25 GBRET_InvalidTaskType=26
GBRET_CommandNotMatched=27 GBRET_TaskDisabled=28 GBRET_PrivilegeViolation=29 GBRET_IdentityProviderNotFound=30
GBRET_IdentityNotLinked=31 GBRET_IdentityReauthRequired=32 GBRET_IdentityRefreshFailed=33
GBRET_IdentityInvalidLinkRequest=34 GBRET_IdentityConfigError=35 GBRET_Failed=63

PLUGRET_Normal=0 PLUGRET_Fail=1 PLUGRET_MechanismFail=2 PLUGRET_ConfigurationError=3 PLUGRET_PipelineAborted=4
PLUGRET_RobotStopping=5 PLUGRET_NotFound=6 PLUGRET_Success=7

# The robot writes the caller id as the first line of standard input. Taking it leaves the script the input it
# expects; a script started by this one must not take a line of its own input for it.
if [[ ${GOPHER_CALLER_ID-} == stdin ]]; then
    IFS= read -r CALLER_ID || :
    export GOPHER_CALLER_ID=read
fi

# An inherited descriptor number means nothing once a program in between has closed the descriptor.
_gb_fd=${GOPHER_API_FD-}
if [[ -n $_gb_fd ]] && ! { : >&"$_gb_fd"; } 2>/dev/null; then
    _gb_fd=
fi

# The process that takes the only byte of the claim has a descriptor of its own, and need not share one.
_gb_own=${GOPHER_API_OWN_FD-} _gb_owner=
if [[ -n $_gb_own ]] && IFS= read -r -N 1 -u "${GOPHER_API_CLAIM_FD-}" _ 2>/dev/null; then
    _gb_owner=$BASHPID
fi
unset GOPHER_API_OWN_FD GOPHER_API_CLAIM_FD

_gb_closed=$'!\tthe robot closed the connection of this run'

# _gb_call FUNCTION FORMAT KEY=VALUE... : one call; leaves GB_CODE (the RetVal) and GB_VALUE (the answer).
_gb_call() {
    GB_CODE=63 GB_VALUE=
    if [[ -z $_gb_fd ]]; then
        _gb_remote "$@"
        return 0
    fi
    local IFS='' _gb_line
    if [[ "$*" == *[\\$'\t\n\r']* ]]; then
        _gb_escaped "$@"
    else
        IFS=$'\t'
        _gb_line=$1$'\t'${2:-${GB_FORMAT-}}${3+$'\t'}"${*:3}"
    fi
    if [[ $BASHPID == "$_gb_owner" ]]; then
        printf '%s\n' "$_gb_line" >&"$_gb_own" || :
        IFS= read -r -u "$_gb_own" _gb_line || _gb_line=$_gb_closed
    else
        _gb_shared
    fi
    GB_CODE=${_gb_line%%$'\t'*} GB_VALUE=${_gb_line#*$'\t'}
    if [[ $GB_CODE == '!' ]]; then
        GB_CODE=63
        _gb_plain
        _gb_fail "$1: $GB_VALUE"
    fi
}

# The call in _gb_line, where a value has what ends a value or a line.
_gb_escaped() {
    local _gb_part
    _gb_line=$1$'\t'${2:-${GB_FORMAT-}}
    shift 2
    for _gb_part; do
        _gb_part=${_gb_part//\\/\\\\} _gb_part=${_gb_part//$'\t'/\\t}
        _gb_part=${_gb_part//$'\n'/\\n} _gb_part=${_gb_part//$'\r'/\\r}
        _gb_line+=$'\t'$_gb_part
    done
}

# Writes the line in _gb_line to the descriptor that processes share, and leaves the answer there.
_gb_shared() {
    local _gb_byte=''
    # The byte in the pipe is the right to speak: whoever holds it gets the next answer.
    if [[ -n ${GOPHER_API_LOCK_FD-} ]]; then
        IFS= read -r -N 1 -u "$GOPHER_API_LOCK_FD" _gb_byte || :
    fi
    printf '%s\n' "$_gb_line" >&"$_gb_fd" || :
    IFS= read -r -u "$_gb_fd" _gb_line || _gb_line=$_gb_closed
    if [[ -n $_gb_byte ]]; then
        printf %s "$_gb_byte" >&"$GOPHER_API_LOCK_FD" || :
    fi
}

# The same call for a script that did not inherit the descriptor.
_gb_remote() {
    if [[ -z ${GOPHER_HTTP_POST-} || -z ${CALLER_ID-} ]]; then
        _gb_fail "$1: there is no robot to call; this script was not started by one"
        return 0
    fi
    _gb_load
    _gb_http "$@"
}

# What only some scripts need.
_gb_load() {
    if ! declare -F _gb_http >/dev/null; then
        # shellcheck source=gopherbot_http.sh
        source "${BASH_SOURCE[0]%/*}/gopherbot_http.sh"
    fi
}

_gb_fail() {
    GB_VALUE=
    printf 'gopherbot: %s\n' "$1" >&2
}

# Undoes the escapes of one value: every backslash of a value comes doubled, so %b meets only ours.
_gb_plain() {
    if [[ $GB_VALUE == *\\* ]]; then
        printf -v GB_VALUE %b "$GB_VALUE"
    fi
}

_gb_flag() {
    case ${1-} in
        -f) _gb_format=Fixed ;;
        -r) _gb_format=Raw ;;
        -v) _gb_format=Variable ;;
        -m | -b) _gb_format=BasicMarkdown ;;
        *) return 1 ;;
    esac
}

_gb_bool() {
    case ${1-} in
        '' | false | False | FALSE | no | 0) _gb_truth=false ;;
        *) _gb_truth=true ;;
    esac
}

# The three shapes of a method: its RetVal; a yes or no, printed and as status; a value, printed, and its RetVal.
_gb_ret() {
    _gb_call "$@"
    return "$GB_CODE"
}

_gb_ask() {
    _gb_call "$@"
    [[ $GB_VALUE == true ]]
}

_gb_print() {
    _gb_call "$@"
    if [[ $GB_VALUE == *\\* ]]; then _gb_plain; fi
    printf '%s\n' "$GB_VALUE"
    return "$GB_CODE"
}

_gb_yes_no() {
    _gb_call "$1" ''
    [[ $GB_VALUE == true ]] || GB_VALUE=false
    printf '%s\n' "$GB_VALUE"
    [[ $GB_VALUE == true ]]
}

# --- Messages

MessageFormat() {
    if [[ -n ${1-} ]]; then
        export GB_FORMAT=$1
    fi
}

# Direct, Threaded and Fixed run another function in their context: Direct Say "just for you".
Direct() {
    local GOPHER_CHANNEL='' GOPHER_THREAD_ID='' GOPHER_THREADED_MESSAGE=''
    "$@"
}

Threaded() {
    local GOPHER_THREADED_MESSAGE=${GOPHER_CHANNEL:+true}
    "$@"
}

Fixed() {
    local GB_FORMAT=Fixed
    "$@"
}

_gb_speak() {
    if [[ -z ${GOPHER_CHANNEL-} ]]; then
        _gb_ret SendUserMessage "$_gb_format" "User=${GOPHER_USER-}" "Message=$3"
    elif [[ $1 == say ]]; then
        _gb_ret SendChannelThreadMessage "$_gb_format" "Channel=$GOPHER_CHANNEL" "Thread=$2" "Message=$3"
    else
        _gb_ret SendUserChannelThreadMessage "$_gb_format" "User=${GOPHER_USER-}" "Channel=$GOPHER_CHANNEL" \
            "Thread=$2" "Message=$3"
    fi
}

Say() {
    local IFS=' ' _gb_format=''
    if _gb_flag "$@"; then shift; fi
    _gb_speak say "${GOPHER_THREADED_MESSAGE:+${GOPHER_THREAD_ID-}}" "$*"
}

SayThread() {
    local IFS=' ' _gb_format=''
    if _gb_flag "$@"; then shift; fi
    _gb_speak say "${GOPHER_THREAD_ID-}" "$*"
}

Reply() {
    local IFS=' ' _gb_format=''
    if _gb_flag "$@"; then shift; fi
    _gb_speak reply "${GOPHER_THREADED_MESSAGE:+${GOPHER_THREAD_ID-}}" "$*"
}

ReplyThread() {
    local IFS=' ' _gb_format=''
    if _gb_flag "$@"; then shift; fi
    _gb_speak reply "${GOPHER_THREAD_ID-}" "$*"
}

SendChannelMessage() {
    local IFS=' ' _gb_format=''
    if _gb_flag "$@"; then shift; fi
    _gb_ret SendChannelThreadMessage "$_gb_format" "Channel=${1-}" Thread= "Message=${*:2}"
}

SendChannelThreadMessage() {
    local IFS=' ' _gb_format=''
    if _gb_flag "$@"; then shift; fi
    _gb_ret SendChannelThreadMessage "$_gb_format" "Channel=${1-}" "Thread=${2-}" "Message=${*:3}"
}

SendUserMessage() {
    local IFS=' ' _gb_format=''
    if _gb_flag "$@"; then shift; fi
    _gb_ret SendUserMessage "$_gb_format" "User=${1-}" "Message=${*:2}"
}

SendUserChannelMessage() {
    local IFS=' ' _gb_format=''
    if _gb_flag "$@"; then shift; fi
    _gb_ret SendUserChannelThreadMessage "$_gb_format" "User=${1-}" "Channel=${2-}" Thread= "Message=${*:3}"
}

SendUserChannelThreadMessage() {
    local IFS=' ' _gb_format=''
    if _gb_flag "$@"; then shift; fi
    _gb_ret SendUserChannelThreadMessage "$_gb_format" "User=${1-}" "Channel=${2-}" "Thread=${3-}" "Message=${*:4}"
}

SendProtocolUserChannelMessage() {
    local IFS=' ' _gb_format=''
    if _gb_flag "$@"; then shift; fi
    _gb_ret SendProtocolUserChannelMessage "$_gb_format" "Protocol=${1-}" "User=${2-}" "Channel=${3-}" "Message=${*:4}"
}

# --- Prompts: the reply is printed, the RetVal is the status

_gb_prompt() {
    local _gb_try
    for _gb_try in 1 2 3; do
        _gb_call PromptUserChannelThreadForReply "$_gb_format" "RegexID=$1" "User=$2" "Channel=$3" "Thread=$4" "Prompt=$5"
        if [[ $GB_CODE != "$GBRET_RetryPrompt" ]]; then
            break
        fi
    done
    if [[ $GB_CODE == "$GBRET_RetryPrompt" ]]; then
        GB_CODE=$GBRET_Interrupted
    fi
    _gb_plain
    printf '%s\n' "$GB_VALUE"
    return "$GB_CODE"
}

PromptForReply() {
    local IFS=' ' _gb_format=''
    if _gb_flag "$@"; then shift; fi
    _gb_prompt "${1-}" "${GOPHER_USER-}" "${GOPHER_CHANNEL-}" \
        "${GOPHER_THREADED_MESSAGE:+${GOPHER_THREAD_ID-}}" "${*:2}"
}

PromptThreadForReply() {
    local IFS=' ' _gb_format=''
    if _gb_flag "$@"; then shift; fi
    _gb_prompt "${1-}" "${GOPHER_USER-}" "${GOPHER_CHANNEL-}" "${GOPHER_THREAD_ID-}" "${*:2}"
}

PromptUserForReply() {
    local IFS=' ' _gb_format=''
    if _gb_flag "$@"; then shift; fi
    _gb_prompt "${1-}" "${2-}" '' '' "${*:3}"
}

PromptUserChannelForReply() {
    local IFS=' ' _gb_format=''
    if _gb_flag "$@"; then shift; fi
    _gb_prompt "${1-}" "${2-}" "${3-}" '' "${*:4}"
}

PromptUserChannelThreadForReply() {
    local IFS=' ' _gb_format=''
    if _gb_flag "$@"; then shift; fi
    _gb_prompt "${1-}" "${2-}" "${3-}" "${4-}" "${*:5}"
}

# --- Attributes, configuration, parameters, log

GetBotAttribute() { _gb_print GetBotAttribute '' "Attribute=${1-}"; }
GetSenderAttribute() { _gb_print GetSenderAttribute '' "Attribute=${1-}"; }
GetUserAttribute() { _gb_print GetUserAttribute '' "User=${1-}" "Attribute=${2-}"; }
GetTaskConfig() { _gb_print GetTaskConfig ''; }
GetHelpMetadata() { _gb_print GetHelpMetadata '' "Query=${1-}"; }

GetParameter() {
    _gb_call GetParameter '' "Parameter=${1-}"
    _gb_plain
    printf %s "$GB_VALUE"
}

SetParameter() { _gb_ask SetParameter '' "Name=${1-}" "Value=${2-}"; }
SetWorkingDirectory() { _gb_ask SetWorkingDirectory '' "Path=${1-}"; }
Log() {
    local IFS=' '
    _gb_ret Log '' "Level=${1-}" "Message=${*:2}"
}

# --- Mail: SUBJECT BODY [html], after the user or the address. The answer comes when the mail server has taken it or not.

_gb_email() {
    local _gb_truth
    _gb_bool "${4-}"
    _gb_ret "$1" '' "Subject=$2" "Body=$3" "HTML=$_gb_truth" "${@:5}"
}

Email() { _gb_email Email "${1-}" "${2-}" "${3-}"; }
EmailUser() { _gb_email EmailUser "${2-}" "${3-}" "${4-}" "User=${1-}"; }
EmailAddress() { _gb_email EmailAddress "${2-}" "${3-}" "${4-}" "Address=${1-}"; }

# --- Memory

_gb_remember() {
    local _gb_truth
    if [[ -z ${2-} || -z ${3-} ]]; then
        return 1
    fi
    _gb_bool "${4-}"
    _gb_ret "$1" '' "Key=$2" "Value=$3" "Shared=$_gb_truth"
}

Remember() {
    if [[ -n ${GOPHER_THREADED_MESSAGE-} ]]; then
        _gb_remember RememberThread "$@"
    else
        _gb_remember Remember "$@"
    fi
}

RememberThread() { _gb_remember RememberThread "$@"; }

RememberContext() {
    if [[ -z ${1-} ]]; then return 1; fi
    Remember "context:$1" "${2-}"
}

RememberContextThread() {
    if [[ -z ${1-} ]]; then return 1; fi
    RememberThread "context:$1" "${2-}"
}

# `shared` is the second argument; scripts that got used to passing it third still work.
Recall() {
    local _gb_truth
    if [[ -z ${1-} ]]; then return 1; fi
    _gb_bool "${2:-${3-}}"
    _gb_call Recall '' "Key=$1" "Shared=$_gb_truth"
    _gb_plain
    printf %s "$GB_VALUE"
}

DeleteMemory() {
    local _gb_truth
    _gb_bool "${2-}"
    _gb_ret DeleteMemory '' "Key=${1-}" "Shared=$_gb_truth"
}

# CheckoutDatum KEY [rw] answers in variables, so call it without $( ): GB_EXISTS (true or false), GB_DATUM
# (JSON text) and GB_TOKEN, which UpdateDatum and CheckinDatum take after the key.
CheckoutDatum() {
    local _gb_truth
    _gb_bool "${2-}"
    GB_TOKEN='' GB_EXISTS=false GB_DATUM=
    _gb_call CheckoutDatum '' "Key=${1-}" "RW=$_gb_truth"
    GB_TOKEN=${GB_VALUE%%$'\t'*} GB_VALUE=${GB_VALUE#*$'\t'}
    if [[ $GB_VALUE == true$'\t'* ]]; then
        GB_VALUE=${GB_VALUE#*$'\t'}
        _gb_plain
        GB_EXISTS=true GB_DATUM=$GB_VALUE
    fi
    return "$GB_CODE"
}

UpdateDatum() { _gb_ret UpdateDatum '' "Key=${1-}" "Token=${2-}" "Datum=${3-}"; }
CheckinDatum() { _gb_ret CheckinDatum '' "Key=${1-}" "Token=${2-}"; }

DeleteDatum() {
    _gb_call DeleteDatum '' "Key=${1-}"
    printf '%s\n' "$GB_CODE"
    return "$GB_CODE"
}

# --- Pipelines

_gb_step() {
    local _gb_function=$1 _gb_name=${2-}
    shift $(($# > 1 ? 2 : 1))
    _gb_ret "$_gb_function" '' "Name=$_gb_name" "${@/#/CmdArgs=}"
}

AddTask() { _gb_step AddTask "$@"; }
AddJob() { _gb_step AddJob "$@"; }
FinalTask() { _gb_step FinalTask "$@"; }
FailTask() { _gb_step FailTask "$@"; }
SpawnJob() { _gb_step SpawnJob "$@"; }

_gb_command() {
    local IFS=' '
    _gb_ret "$1" '' "Plugin=${2-}" "Command=${*:3}"
}

AddCommand() { _gb_command AddCommand "$@"; }
FinalCommand() { _gb_command FinalCommand "$@"; }
FailCommand() { _gb_command FailCommand "$@"; }

Exclusive() {
    local _gb_truth
    _gb_bool "${2-}"
    _gb_ask Exclusive '' "Tag=${1-}" "QueueTask=$_gb_truth"
}

# --- Rights and identity

CheckAdmin() { _gb_yes_no CheckAdmin; }
Subscribe() { _gb_yes_no Subscribe; }
Unsubscribe() { _gb_yes_no Unsubscribe; }

Elevate() {
    local _gb_truth
    _gb_bool "${1-}"
    _gb_ask Elevate '' "Immediate=$_gb_truth"
}

EncryptSecret() { _gb_print EncryptSecret '' "Plaintext=${1-}"; }
GetIdentityCredential() { _gb_print GetIdentityCredential '' "Provider=${1-}" "User=${2-}"; }
# LinkOAuth2Identity takes the link request as JSON text.
LinkOAuth2Identity() { _gb_ret LinkOAuth2Identity '' "Link=${1-}"; }
UnlinkIdentity() { _gb_ret UnlinkIdentity '' "Provider=${1-}" "User=${2-}"; }

# --- Chance and time

# A pipe that nobody writes to: reading it with a time-out is a sleep without a program.
Pause() {
    if [[ ! ${1:-0} =~ ^[0-9]*\.?[0-9]*$ ]]; then
        _gb_fail 'Pause: the argument must be a number of seconds'
        return 2
    fi
    if [[ -z ${_gb_idle-} ]] && ! { exec {_gb_idle}<> <(:); } 2>/dev/null; then
        sleep "${1:-0}"
        return 0
    fi
    read -r -t "${1:-0}" -u "$_gb_idle" || :
}

RandomInt() {
    local _gb_limit=${1:-0}
    if [[ ! $_gb_limit =~ ^-?[0-9]+$ ]]; then
        _gb_fail 'RandomInt: the argument must be a whole number'
        return 2
    fi
    _gb_limit=${_gb_limit/#-*/0}
    _gb_limit=$((10#$_gb_limit))
    if ((_gb_limit <= 0)); then
        printf '0\n'
    else
        printf '%d\n' $((${SRANDOM:-RANDOM * 32768 + RANDOM} % _gb_limit))
    fi
}

RandomString() {
    if (($#)); then
        local _gb_pick=$((${SRANDOM:-RANDOM * 32768 + RANDOM} % $# + 1))
        printf '%s\n' "${!_gb_pick}"
    fi
}

# --- For scripts that make their calls themselves

# gbPostJSON FUNCTION ARGUMENTS [FORMAT]: a call with its arguments as a JSON object; prints the answer, as JSON.
gbPostJSON() {
    _gb_load
    _gb_post_json "$@"
}

# gbBotRet ANSWER: its RetVal, as the status.
gbBotRet() {
    _gb_load
    _gb_answer '' "${1-}"
    return "$GB_CODE"
}

# gbExtract ANSWER MEMBER: prints a member of the answer.
gbExtract() {
    _gb_load
    _gb_answer '' "${1-}"
    if [[ ${2-} == RetVal ]]; then
        printf '%s\n' "$GB_CODE"
    else
        _gb_plain
        printf '%s\n' "$GB_VALUE"
    fi
}

base64_encode() {
    local IFS=' '
    printf %s "$(printf %s "$*" | base64)"
}

getFormat() {
    local _gb_format=''
    if _gb_flag "$@"; then printf '%s\n' "$_gb_format"; fi
}
