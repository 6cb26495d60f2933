//! Configurations that are wrong in one way each, and every word that is said of them.

pub(super) const ROBOT: &str = "conf/robot.yaml";
const PROGRAM: &str = "plugins/echo.sh";
const ECHO: &str =
    "#!/bin/bash\n[ \"$1\" = _configure ] && echo 'Commands: [ { Command: echo, Regex: echo (.+) } ]'\nexit 0\n";
const PLUGIN: &str = "ExternalPlugins:\n  echo: { Path: plugins/echo.sh }\n";
const VARIABLES: &str = "conf/variables/common.yaml";

/// What is wrong; files, where `robot.yaml` is what stands below its first four lines; and what is said, with `$SHARE`
/// for the install tree and `$HOME` for the robot's directory.
type Wrong = (&'static str, &'static [(&'static str, &'static str)], &'static str);

pub(super) const WRONG: &[Wrong] = &[
    (
        "a key that is written wrong",
        &[(ROBOT, "AdminUser: [ alice ]\n")],
        "error: conf/robot.yaml:5:1: unknown key `AdminUser`
  | AdminUser: [ alice ]
  | ^
hint: did you mean `AdminUsers`?",
    ),
    (
        "a key twice",
        &[(ROBOT, "Alias: ';'\nAlias: '!'\n")],
        "error: conf/robot.yaml:6:1: the key `Alias` stands here a second time; it is already on line 5
  | Alias: '!'
  | ^",
    ),
    (
        "no YAML",
        &[(ROBOT, "DefaultChannels: [ general, random\nAlias: ';'\n")],
        "error: conf/robot.yaml:7:1: this is not valid YAML: while parsing a flow sequence, expected ',' or ']'",
    ),
    (
        "a tab",
        &[(ROBOT, "TimeOuts:\n\tPlugin: { Warn: 1m }\n")],
        "error: conf/robot.yaml:6:2: this is not valid YAML: tabs disallowed within this context (block indentation)
  |  Plugin: { Warn: 1m }
  |  ^",
    ),
    (
        "text for a list",
        &[(ROBOT, "IgnoreUsers: spam\n")],
        "error: conf/robot.yaml:5:14: expected a list, found text
  | IgnoreUsers: spam
  |              ^
hint: a list of one is written `[ spam ]`",
    ),
    (
        "a list for text",
        &[(ROBOT, "AdminContact: [ alice ]\n")],
        "error: conf/robot.yaml:5:15: expected text, found a list
  | AdminContact: [ alice ]
  |               ^",
    ),
    (
        "text for a switch",
        &[(ROBOT, "HearSelf: perhaps\n")],
        "error: conf/robot.yaml:5:11: expected true or false, found text
  | HearSelf: perhaps
  |           ^",
    ),
    (
        "text for a time",
        &[(ROBOT, "TimeOuts: { Plugin: { Warn: soon } }\n")],
        "error: conf/robot.yaml:5:29: expected a duration such as `90s` or `1h30m` that is not negative, found `soon`
  | TimeOuts: { Plugin: { Warn: soon } }
  |                             ^",
    ),
    (
        "an end before its warning",
        &[(ROBOT, "TimeOuts: { Plugin: { Warn: 5m, Kill: 1m } }\n")],
        "error: conf/robot.yaml:5:39: TimeOuts.Plugin Kill must be greater than Warn when both are set
  | TimeOuts: { Plugin: { Warn: 5m, Kill: 1m } }
  |                                       ^",
    ),
    (
        "an alias of two characters",
        &[(ROBOT, "Alias: ab\n")],
        r"error: conf/robot.yaml:5:8: invalid alias; it must be one of: * + ^ $ ? \ [ ] { } & ! ; : - % # @ ~ < >
  | Alias: ab
  |        ^",
    ),
    (
        "a key of version 2",
        &[(ROBOT, "Protocol: slack\n")],
        "error: conf/robot.yaml:5:1: unknown key `Protocol`
  | Protocol: slack
  | ^
hint: this key is now `PrimaryProtocol`",
    ),
    (
        "what belongs to the protocol",
        &[(ROBOT, "ProtocolConfig: { Channels: [ general ] }\n")],
        "error: conf/robot.yaml:5:1: invalid configuration key in robot.yaml: ProtocolConfig
  | ProtocolConfig: { Channels: [ general ] }
  | ^
hint: it belongs in conf/protocols/NAME.yaml",
    ),
    (
        "a brain without settings",
        &[(ROBOT, "Brain: shelf\n")],
        "error: conf/brains/shelf.yaml: brain `shelf` has no `BrainConfig`, neither here nor in the install tree",
    ),
    (
        "a set that is not there",
        &[(ROBOT, "ExternalPlugins:\n  echo: { Path: plugins/echo.sh, ParameterSets: [ lost ] }\n"), (PROGRAM, ECHO)],
        "disabled: plugin echo: conf/robot.yaml:6:49: `lost` is not defined; `ParameterSets` refers to it",
    ),
    (
        "two groups of one name",
        &[(ROBOT, "NameSpaces: { one: {} }\nParameterSets: { one: {} }\n")],
        "error: conf/robot.yaml:6:18: the name `one` is also used at conf/robot.yaml:5:15; give one of them another name
  | ParameterSets: { one: {} }
  |                  ^",
    ),
    (
        "a program that is not there",
        &[(ROBOT, PLUGIN)],
        "missing: plugin echo: conf/robot.yaml:6:17: there is no file `plugins/echo.sh` (looked for plugins/echo.sh, $SHARE/plugins/echo.sh); create it or correct `Path`",
    ),
    (
        "a plugin that makes itself privileged",
        &[(ROBOT, PLUGIN), (PROGRAM, ECHO), ("conf/plugins/echo.yaml", "Privileged: true\n")],
        "error: conf/plugins/echo.yaml:1:1: task 'echo' illegally specifies 'Privileged' outside of robot.yaml
  | Privileged: true
  | ^",
    ),
    (
        "a function that is not there",
        &[(ROBOT, "Alias: {{ evn \"ALIAS\" }}\n")],
        r#"error: conf/robot.yaml:5:11: there is no function `evn`; did you mean `env`?
  | Alias: {{ evn "ALIAS" }}
  |           ^"#,
    ),
    (
        "an action that does not end",
        &[(ROBOT, "Alias: {{ env \"ALIAS\"\n")],
        r#"error: conf/robot.yaml:5:8: this action has no end; close it with `}}`
  | Alias: {{ env "ALIAS"
  |        ^"#,
    ),
    (
        "an if that does not end",
        &[(ROBOT, "{{ if env \"ALIAS\" }}\nAlias: ';'\n")],
        r#"error: conf/robot.yaml:5:1: this `if` has no `{{ end }}`
  | {{ if env "ALIAS" }}
  | ^"#,
    ),
    (
        "a variable that was not declared",
        &[(ROBOT, "Alias: {{ $alias }}\n")],
        "error: conf/robot.yaml:5:11: the variable `$alias` is not declared here
  | Alias: {{ $alias }}
  |           ^",
    ),
    (
        "a default that is no text",
        &[(ROBOT, "LocalPort: {{ env \"PORT\" | default 0 }}\n")],
        r#"error: conf/robot.yaml:5:28: both arguments of `default` must be text, and this is the number 0; put it in quotes
  | LocalPort: {{ env "PORT" | default 0 }}
  |                            ^"#,
    ),
    (
        "an include that is not there",
        &[(ROBOT, "{{ .Include \"environments/lost.yaml\" }}\n")],
        r#"error: conf/robot.yaml:5:4: `.Include`: there is no file conf/environments/lost.yaml
  | {{ .Include "environments/lost.yaml" }}
  |    ^"#,
    ),
    (
        "an include from elsewhere",
        &[(ROBOT, "{{ .Include \"../../etc/passwd\" }}\n")],
        r#"error: conf/robot.yaml:5:4: `.Include` of `../../etc/passwd` leaves $HOME
  | {{ .Include "../../etc/passwd" }}
  |    ^"#,
    ),
    (
        "an error in an include",
        &[(ROBOT, "{{ .Include \"more.yaml\" }}\n"), ("conf/more.yaml", "# more\nAlias: {{ variable \"ALIAS\" }}\n")],
        r#"error: conf/more.yaml:2:11: template variable "ALIAS" is not defined in custom conf/variables/common.yaml or custom conf/variables/<env>.yaml
  | Alias: {{ variable "ALIAS" }}
  |           ^"#,
    ),
    (
        "an include that includes itself",
        &[(ROBOT, "{{ .Include \"more.yaml\" }}\n"), ("conf/more.yaml", "{{ .Include \"more.yaml\" }}\n")],
        r#"error: conf/more.yaml:1:4: more than 10 files include each other
  | {{ .Include "more.yaml" }}
  |    ^"#,
    ),
    (
        "a variable that is written wrong",
        &[(ROBOT, "Alias: {{ variable \"ALIAZ\" }}\n"), (VARIABLES, "Variables: { ALIAS: ';' }\n")],
        r#"error: conf/robot.yaml:5:11: template variable "ALIAZ" is not defined in custom conf/variables/common.yaml or custom conf/variables/<env>.yaml; did you mean "ALIAS"?
  | Alias: {{ variable "ALIAZ" }}
  |           ^"#,
    ),
    (
        "a secret that is not there",
        &[(ROBOT, "EncryptionKey: {{ secret \"KEY\" }}\n")],
        r#"error: conf/robot.yaml:5:19: template secret "KEY" is not defined in custom conf/variables/common.yaml or custom conf/variables/<env>.yaml
  | EncryptionKey: {{ secret "KEY" }}
  |                   ^"#,
    ),
    (
        "a secret that is no base64",
        &[(ROBOT, "EncryptionKey: {{ secret \"KEY\" }}\n"), (VARIABLES, "Secrets:\n  KEY: '?!'\n")],
        "warning: conf/robot.yaml:5:1: `EncryptionKey` is read by a later version and has no effect yet\nunopened: the secret KEY is no ciphertext: it must be what `encrypt-secret` prints",
    ),
    (
        "a secret where it would be seen",
        &[(ROBOT, "DefaultChannels: [ {{ secret \"KEY\" }} ]\n"), (VARIABLES, "Secrets: { KEY: AAAA }\n")],
        r#"error: conf/robot.yaml:5:20: `{{ secret "KEY" }}` is secret and cannot stand here, where the robot needs the text itself
  | DefaultChannels: [ {{ secret "KEY" }} ]
  |                    ^
hint: secrets belong in `Value` of `Parameters`, in `ProtocolConfig` and other provider settings, or in `Config`; if this is not secret, keep it under `Variables` of a variables file and write {{ variable "NAME" }}"#,
    ),
    (
        "a secret that is looked at",
        &[(ROBOT, "{{ if eq (secret \"KEY\") \"x\" }}{{ end }}\n"), (VARIABLES, "Secrets: { KEY: AAAA }\n")],
        r#"error: conf/robot.yaml:5:7: `eq` would have to look at the value of `KEY`, which is secret and not known here; use it whole, or keep it under `Variables` of a variables file if it need not be secret
  | {{ if eq (secret "KEY") "x" }}{{ end }}
  |       ^"#,
    ),
    (
        "a secret as version 2 had it",
        &[(ROBOT, "EncryptionKey: {{ decrypt \"AAAA\" }}\n")],
        r#"error: conf/robot.yaml:5:19: `decrypt` is gone: put the encrypted text under `Secrets` of conf/variables/common.yaml or of conf/variables/ENVIRONMENT.yaml, and write {{ secret "NAME" }} here
  | EncryptionKey: {{ decrypt "AAAA" }}
  |                   ^"#,
    ),
    (
        "variables that are none",
        &[(VARIABLES, "Variable: { ALIAS: ';' }\n")],
        "error: conf/variables/common.yaml:1:1: loading custom variables: unknown key `Variable`
  | Variable: { ALIAS: ';' }
  | ^
hint: did you mean `Variables`?",
    ),
    (
        "a list of variables",
        &[(VARIABLES, "Variables: [ ALIAS ]\n")],
        "error: conf/variables/common.yaml:1:12: loading custom variables: expected a mapping of names and values, found a list
  | Variables: [ ALIAS ]
  |            ^",
    ),
    (
        "a matcher that is none",
        &[(ROBOT, PLUGIN), (PROGRAM, ECHO), ("conf/plugins/echo.yaml", "Commands: [ { Command: echo, Regex: 'echo (' } ]\n")],
        "disabled: plugin echo: conf/plugins/echo.yaml:1:37: couldn't compile matcher regular expression 'echo (': unclosed group",
    ),
    (
        "a simple matcher that is none",
        &[(ROBOT, PLUGIN), (PROGRAM, ECHO), ("conf/plugins/echo.yaml", "Commands:\n- { Command: echo, SimpleMatcher: 'echo <text' }\n")],
        "disabled: plugin echo: conf/plugins/echo.yaml:2:35: invalid command matcher for command 'echo': unterminated capture in SimpleMatcher",
    ),
    (
        "a command that is the engine's",
        &[(ROBOT, PLUGIN), (PROGRAM, ECHO), ("conf/plugins/echo.yaml", "Commands: [ { Command: _init, Regex: x } ]\n")],
        r#"disabled: plugin echo: conf/plugins/echo.yaml:1:24: plugin 'echo' command "_init" is reserved for engine use; plugin command names must not start with '_'"#,
    ),
    (
        "rules for a command that is not there",
        &[(ROBOT, PLUGIN), (PROGRAM, ECHO), ("conf/plugins/echo.yaml", "AdminCommands: [ ecko ]\n")],
        "disabled: plugin echo: conf/plugins/echo.yaml:1:16: Disabling echo, admin command ecko didn't match a command from Commands or MessageMatchers",
    ),
    (
        "an authorizer that is not there",
        &[(ROBOT, PLUGIN), (PROGRAM, ECHO), ("conf/plugins/echo.yaml", "Authorizer: guild\nAuthorizeAllCommands: true\n")],
        "disabled: plugin echo: conf/plugins/echo.yaml:1:13: there is no plugin `guild`, which is to be the authorizer",
    ),
    (
        "a key of a plugin that belongs elsewhere",
        &[(ROBOT, PLUGIN), (PROGRAM, ECHO), ("conf/plugins/echo.yaml", "Homed: true\n")],
        "disabled: plugin echo: conf/plugins/echo.yaml:1:1: Invalid configuration key for task 'echo': Homed - disabling (it belongs in robot.yaml)",
    ),
];
