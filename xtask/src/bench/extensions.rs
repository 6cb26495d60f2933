//! The extensions that are measured: the same few commands in every language.

/// A script of the measured robot.
pub(super) struct Extension {
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    pub(super) source: &'static str,
}

pub(super) const EXTENSIONS: [Extension; 6] = [
    Extension { name: "bash", file: "say.sh", source: SAY_BASH },
    Extension { name: "python", file: "say.py", source: SAY_PYTHON },
    Extension { name: "ruby", file: "say.rb", source: SAY_RUBY },
    Extension { name: "lua", file: "say.lua", source: SAY_LUA },
    Extension { name: "js", file: "say.js", source: SAY_JS },
    Extension { name: "gsh", file: "say.gsh", source: SAY_GSH },
];

/// One `Say` over the inherited descriptor, without a library: what is left is the robot's own cost.
pub(super) const SAY_C: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/socket.h>
/* GetBotAttribute over HTTP, a connection each, as libraries of Gopherbot do it. */
static int post(int port, const char *caller) {
    static const char body[] = "{\"FuncName\":\"GetBotAttribute\",\"FuncArgs\":{\"Attribute\":\"name\"}}";
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
    char request[512], answer[512];
    int socket_ = socket(AF_INET, SOCK_STREAM, 0), count, told = 0;
    int length = snprintf(request, sizeof request, "POST /json HTTP/1.1\r\nHost: localhost\r\nX-Caller-ID: %s\r\n"
        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", caller, (int)sizeof body - 1, body);
    if (connect(socket_, (struct sockaddr *)&to, sizeof to) || write(socket_, request, length) != length) return 0;
    while ((count = read(socket_, answer + told, sizeof answer - 1 - told)) > 0) told += count;
    answer[told] = 0;
    close(socket_);
    return strstr(answer, "bender") != 0;
}
int main(int argc, char **argv) {
    const char *fd = getenv("GOPHER_API_FD");
    if (argc > 1 && !strcmp(argv[1], "_configure")) {
        puts("Commands: [ { Command: c, Regex: 'c one' }, { Command: http, Regex: 'c http' } ]");
        return 0;
    }
    if (fd && argc > 1 && !strcmp(argv[1], "http")) {
        char caller[128], answer[64];
        if (!fgets(caller, sizeof caller, stdin)) return 1;
        caller[strcspn(caller, "\r\n")] = 0;
        const char *port = strrchr(getenv("GOPHER_HTTP_POST"), ':');
        for (int n = 0; n < 1000; n++) if (!post(atoi(port + 1), caller)) return 1;
        const char call[] = "SendChannelThreadMessage\t\tChannel=general\tThread=\tMessage=c http done\n";
        return write(atoi(fd), call, sizeof call - 1) < 0 || read(atoi(fd), answer, sizeof answer) < 1;
    }
    if (fd && argc > 1 && !strcmp(argv[1], "c")) {
        const char call[] = "SendChannelThreadMessage\t\tChannel=general\tThread=\tMessage=said c\n";
        char answer[64];
        if (write(atoi(fd), call, sizeof call - 1) < 0 || read(atoi(fd), answer, sizeof answer) < 1) return 1;
    }
    return 0;
}
"#;

const SAY_BASH: &str = r#"#!/bin/bash
source "$GOPHER_INSTALLDIR/lib/gopherbot_v1.sh"
case "$1" in
_configure) echo "Commands: [ { Command: one, Regex: 'bash one' }, { Command: ten, Regex: 'bash ten' }, { Command: nap, Regex: 'bash nap' }, { Command: many, Regex: 'bash many' } ]" ;;
one) Say "said bash" ;;
ten) for n in 1 2 3 4 5 6 7 8 9 10; do Say "said $n"; done ;;
nap) sleep 1 ;;
many) for ((n = 0; n < 1000; n++)); do GetBotAttribute name; done >/dev/null; Say "bash many done" ;;
esac
"#;

const SAY_PYTHON: &str = r"#!/usr/bin/python3
import sys
if sys.argv[1] == '_configure':
    print('Commands: [ { Command: one, Regex: python one } ]')
    sys.exit(0)
from gopherbot_v2 import Robot
if sys.argv[1] == 'one':
    Robot().Say('said python')
";

const SAY_RUBY: &str = r"#!/usr/bin/ruby
if ARGV[0] == '_configure'
  puts 'Commands: [ { Command: one, Regex: ruby one } ]'
  exit 0
end
require 'gopherbot_v1'
Robot.new.Say('said ruby') if ARGV[0] == 'one'
";

const SAY_LUA: &str = r#"
local command = arg[1]
if command == "_configure" then
  return [[
Commands:
- { Command: one, Regex: lua one }
- { Command: ten, Regex: lua ten }
- { Command: many, Regex: lua many }
]]
elseif command == "_init" then
  return
end
local bot = require("gopherbot_v1").Robot:new()
if command == "one" then
  bot:Say("said lua")
elseif command == "ten" then
  for n = 1, 10 do
    bot:Say("said lua " .. n)
  end
elseif command == "many" then
  for _ = 1, 1000 do
    bot:GetBotAttribute("name")
  end
  bot:Say("lua many done")
end
"#;

const SAY_JS: &str = r#"
const command = process.argv[2];
function main() {
  if (command === "_configure") {
    return `Commands:
- { Command: one, Regex: js one }
- { Command: ten, Regex: js ten }
- { Command: many, Regex: js many }
`;
  }
  if (command === "_init") return 0;
  const { Robot } = require("gopherbot_v1")();
  const bot = new Robot();
  if (command === "one") bot.Say("said js");
  if (command === "ten") for (let n = 1; n <= 10; n++) bot.Say("said js " + n);
  if (command === "many") {
    for (let n = 0; n < 1000; n++) bot.GetBotAttribute("name");
    bot.Say("js many done");
  }
  return 0;
}
main();
"#;

const SAY_GSH: &str = r#"
case "$1" in
_configure)
  cat <<'END'
Commands:
- { Command: one, Regex: gsh one }
- { Command: ten, Regex: gsh ten }
END
  ;;
one) Say "said gsh" ;;
ten) for n in 1 2 3 4 5 6 7 8 9 10; do Say "said gsh $n"; done ;;
esac
"#;
