//! Robots whose files are templates: what they come to, where errors stand, and where secrets may.

use gopher_protocol::{
    ids::Generation,
    loader::{Attachment, Part, SecretRef, Sources, StartMode},
    robot::Robot,
};

use super::{ROBOT, TEST, Tree, launch, plain, reason, sources, told};
use crate::{Draft, Launch, plain_environment, read};

const COMMON: &str = "/bot/custom/conf/variables/common.yaml";
const STAGING: &str = "/bot/custom/conf/variables/staging.yaml";
const BASE: &str = "PrimaryProtocol: test\n";

/// An environment with a private name, encryption and a nonce.
fn full(values: &[(&str, &str)]) -> Launch {
    Launch {
        private: vec!["GOPHER_DEPLOY_KEY".into(), "TOKEN".into()],
        encryption: true,
        nonce: *b"0123456789abcdef",
        ..launch(values)
    }
}

fn load(launch: &Launch, files: &[(&str, &str)]) -> Result<Draft, Vec<String>> {
    let mut tree = Tree::with(&[TEST, (ROBOT, BASE)]);
    tree.0.extend(Tree::with(files).0);
    read(Generation(1), &sources(), launch, &tree).map_err(|e| told(&e))
}

fn finish(draft: Draft) -> Robot {
    let answers = draft.wants_defaults().into_iter().map(|name| (name, Ok(String::new()))).collect();
    draft.finish(answers).expect("finishes")
}

/// The parts of a value as people would write them.
fn written(attachment: &Attachment) -> String {
    let part = |part: &Part| match part {
        Part::Plain(text) => String::from_utf8_lossy(text.expose()).into_owned(),
        Part::Secret(SecretRef::Environment(name)) => format!("<env {name}>"),
        Part::Secret(SecretRef::Variable { name, ciphertext }) => format!("<{name} {ciphertext:?}>"),
    };
    attachment.value.iter().map(part).collect()
}

const INSTALLED: &str = r#"
## {{ env "NOTHING" }} in a comment expands, too
LocalPort: {{ env "GOPHER_PORT" | default "0" }}
{{- $mode := GetStartupMode }}
{{- $protocol := env "GOPHER_PROTOCOL" | default "ssh" }}
{{- $brain := env "GOPHER_BRAIN" | default "file" }}
{{- $state := env "GOPHER_STATE_DIRECTORY" | default "state" }}
{{- if eq $mode "demo" }}
  {{- $protocol = "terminal" }}
  {{- $brain = "mem" }}
{{- else if or (eq $mode "bootstrap") (eq $mode "test-dev") }}
  {{- $protocol = "nullconn" }}
  {{- SetEnv "GOPHER_BRAIN" "mem" }}
  {{- $brain = env "GOPHER_BRAIN" }}
{{- end }}
PrimaryProtocol: {{ $protocol }}
Brain: {{ $brain }}
WorkSpace: {{ printf "%s/work" $state }}
{{ if and (eq $mode "production") (not IsTestBuild) -}}
AdminContact: {{ printf "%q" "on: call" }}
{{- end }}
NameSpaces:
  manage:
    Parameters:
    - Name: GOPHER_CUSTOM_REPOSITORY
      Value: {{ env "GOPHER_CUSTOM_REPOSITORY" }}
    - Name: GOPHER_DEPLOY_KEY
      Value: "{{ env "GOPHER_DEPLOY_KEY" }}"
{{ if env "GOPHER_ENCRYPTION_INITIALIZED" }}
ExternalJobs:
  backup: { Path: jobs/backup.sh, NameSpace: manage }
{{ end }}
"#;

const OWN: &str = r#"{{ $environment := env "GOPHER_ENVIRONMENT" | default "production" }}
{{ $name := env "GOPHER_BOTNAME" | default "clu" }}
{{ printf "environments/%s.yaml" $environment | .Include }}
BotInfo:
  UserName: {{ $name }}
  FullName: {{ printf "%s Gopherbot" $name }}
Alias: '{{ env "GOPHER_ALIAS" | default ";" }}'
{{ $work := env "WORK" | default "workspace" }}
{{ if $work -}} WorkSpace: {{ $work }} {{- end }}
{{ if not (env "A" | default (env "B")) }}HearSelf: false{{ end }}
ExternalPlugins:
  weather:
    Path: plugins/weather.py
    Parameters:
    - Name: OWM_KEY
      Value: {{ secret "OWM" | printf "%q" }}
    - Name: URL
      Value: "https://{{ variable "HOST" }}/?t={{ env "TOKEN" }}&k={{ secret "OWM" }}"
    - Name: UNITS
      Value: {{ variable "UNITS" }}
"#;

fn realistic() -> Vec<(&'static str, &'static str)> {
    vec![
        ("/opt/gopher/conf/robot.yaml", INSTALLED),
        (ROBOT, OWN),
        (
            "/bot/custom/conf/environments/staging.yaml",
            "---\nPrimaryProtocol: {{ env \"GOPHER_PROTOCOL\" | default \"test\" }}\nLogLevel: debug\n",
        ),
        (
            "/opt/gopher/conf/protocols/test.yaml",
            "ProtocolConfig:\n  Start: {{ env \"GOPHER_BOTNAME\" | default \"floyd\" }}\n",
        ),
        (
            "/bot/custom/conf/protocols/test.yaml",
            "ProtocolConfig:\n  AppToken: {{ secret \"APP\" }}\n  List: [a, 'x {{ env \"TOKEN\" }}']\n",
        ),
        (
            COMMON,
            "Secrets:\n  OWM: AQID\n  APP: |\n    BAUG\n  GONE: AQ==\nVariables:\n  HOST: example.com # {{ no template }}\n  UNITS: 017\n  NEVER: x\n",
        ),
        (STAGING, "Secrets: {GONE: null, OWM: Bwg=}\nVariables:\n  HOST: staging.example.com\n  NEVER:\n"),
        ("/opt/gopher/conf/brains/file.yaml", "BrainConfig: {BrainDirectory: brain}\n"),
        ("/bot/custom/plugins/weather.py", ""),
        ("/opt/gopher/jobs/backup.sh", ""),
        (
            "/bot/custom/conf/plugins/weather.yaml",
            "Users: [ {{ variable \"HOST\" | printf \"%q\" }} ]\nConfig:\n  Key: {{ secret \"OWM\" }}\n  Deep: [{K: \"a {{ secret \"APP\" }}\"}]\nAllChannels: true\n",
        ),
    ]
}

#[test]
fn a_robot_of_templates_becomes_typed_and_the_engine_sees_no_secret() {
    let launch = full(&[
        ("GOPHER_ENVIRONMENT", "staging"),
        ("GOPHER_CUSTOM_REPOSITORY", "git@x:y.git"),
        ("GOPHER_PORT", "4221"),
    ]);
    let mut draft = load(&launch, &realistic()).expect("valid");
    let table = draft.table();
    let parameters: Vec<Vec<(&str, String)>> =
        table.tasks.iter().map(|t| t.parameters.iter().map(|p| (p.name.as_str(), written(p))).collect()).collect();
    assert_eq!(
        parameters[0],
        [
            ("OWM_KEY", "<OWM [7, 8]>".to_owned()),
            ("URL", "https://staging.example.com/?t=<env TOKEN>&k=<OWM [7, 8]>".to_owned()),
            ("UNITS", "017".to_owned()),
        ]
    );
    assert_eq!(parameters[1][1], ("GOPHER_DEPLOY_KEY", "<env GOPHER_DEPLOY_KEY>".to_owned()));
    assert_eq!(plain(&table.tasks[1].parameters[0]), b"git@x:y.git");
    let config: Vec<(&str, String)> =
        table.tasks[0].config.iter().map(|text| (text.name.as_str(), written(text))).collect();
    assert_eq!(
        config,
        [
            ("a {{ secret \"APP\" }}", "a <APP [4, 5, 6]>".to_owned()),
            ("{{ secret \"OWM\" }}", "<OWM [7, 8]>".to_owned())
        ]
    );
    let connectors: Vec<(&str, Vec<(&str, String)>)> = table
        .connectors
        .iter()
        .map(|c| (c.name.as_str(), c.values.iter().map(|v| (v.name.as_str(), written(v))).collect()))
        .collect();
    assert_eq!(
        connectors,
        [("test", vec![("/AppToken", "<APP [4, 5, 6]>".to_owned()), ("/List/1", "x <env TOKEN>".to_owned())])]
    );
    let (owm, app) = (vec![7, 8], vec![4, 5, 6]);
    assert_eq!(
        table.references,
        [
            SecretRef::Environment("GOPHER_DEPLOY_KEY".into()),
            SecretRef::Variable { name: "OWM".into(), ciphertext: owm },
            SecretRef::Environment("TOKEN".into()),
            SecretRef::Variable { name: "APP".into(), ciphertext: app },
        ]
    );
    let closed = [(table.references[3].clone(), "another key was used".to_owned())];
    let closed = told(&draft.unopened(&closed));
    assert!(
        closed[0].starts_with("custom/conf/protocols/test.yaml:") && closed[0].ends_with("another key was used"),
        "{closed:?}"
    );
    let robot = finish(draft);
    assert_eq!((robot.identity.user_name.as_str(), robot.identity.full_name.as_str()), ("clu", "clu Gopherbot"));
    assert_eq!((robot.alias, robot.brain.as_str(), robot.hear_self), (Some(';'), "file", false));
    assert_eq!((robot.work_space.as_deref(), robot.admin_contact.as_str()), (Some("workspace"), "on: call"));
    assert_eq!(
        robot.protocols[0].config,
        r#"{"AppToken":"{{ secret \"APP\" }}","List":["a","x {{ env \"TOKEN\" }}"],"Start":"floyd"}"#
    );
    let weather = robot.extensions.iter().find(|e| e.name.as_str() == "weather").expect("enabled");
    assert_eq!(weather.users, ["staging.example.com"]);
    assert_eq!(
        weather.config.as_deref(),
        Some(r#"{"Deep":[{"K":"a {{ secret \"APP\" }}"}],"Key":"{{ secret \"OWM\" }}"}"#)
    );
    assert!(!format!("{robot:?}").contains("GSECRET"), "{robot:?}");
}

#[test]
fn templates_follow_the_start_mode_and_what_was_set_before() {
    for (mode, protocol, brain) in [(StartMode::Demo, "terminal", "mem"), (StartMode::Bootstrap, "nullconn", "mem")] {
        let tree = Tree::with(&[
            ("/opt/gopher/conf/robot.yaml", INSTALLED),
            ("/opt/gopher/conf/protocols/terminal.yaml", "ProtocolConfig: { Brain: '{{ env \"GOPHER_BRAIN\" }}' }\n"),
            ("/opt/gopher/conf/protocols/nullconn.yaml", "ProtocolConfig: { Brain: '{{ env \"GOPHER_BRAIN\" }}' }\n"),
        ]);
        let sources = Sources { mode, ..sources() };
        let draft = read(Generation(1), &sources, &Launch::default(), &tree).map_err(|e| told(&e)).expect("valid");
        let robot = finish(draft);
        assert_eq!((robot.primary_protocol.as_str(), robot.brain.as_str()), (protocol, brain));
        let seen = if protocol == "nullconn" { r#"{"Brain":"mem"}"# } else { r#"{"Brain":""}"# };
        assert_eq!(robot.protocols[0].config, seen, "SetEnv is for all that is loaded later");
    }
}

#[test]
fn errors_stand_where_the_template_stands() {
    for (robot, expected) in [
        (
            "{{ $x := \"y\" }}\n{{- if true }}\nAdminUser: {{ $x }}\n{{ end }}",
            "custom/conf/robot.yaml:3:1: unknown key `AdminUser` (did you mean `AdminUsers`?)",
        ),
        (
            "{{ if false }}\n\n\n{{ end }}IgnoreUnlistedUsers:   {{ env \"X\" | default \"maybe\" }}\n",
            "custom/conf/robot.yaml:4:33: expected true or false, found text",
        ),
        ("A: {{ \"[\" }}", "custom/conf/robot.yaml:2:1: this is not valid YAML: invalid indentation"),
        ("{{ .Include \"part.yaml\" }}", "custom/conf/part.yaml:3:3: unknown key `Nope`"),
        (
            "HearSelf: true\n{{ .Include \"twice.yaml\" }}",
            "custom/conf/twice.yaml:2:1: the key `HearSelf` stands here a second time; it is already on line 1 of custom/conf/robot.yaml",
        ),
        (
            "{{ .Include \"gone.yaml\" }}",
            "custom/conf/robot.yaml:1:4: `.Include`: there is no file custom/conf/gone.yaml",
        ),
        (
            "{{ .Include \"../../conf/x.yaml\" }}",
            "custom/conf/robot.yaml:1:4: `.Include` of `../../conf/x.yaml` leaves custom",
        ),
        ("{{ .Include \"loop.yaml\" }}", "custom/conf/loop.yaml:1:4: more than 10 files include each other"),
        ("{{ .Include \"broken.yaml\" }}", "custom/conf/broken.yaml:2:4: there is no function `oops`"),
        ("A: {{ \"\\x00\" }}", "custom/conf/robot.yaml:1:4: the control character U+0000 is not allowed in YAML"),
        (
            "A: {{ variable \"HOTS\" }}",
            "custom/conf/robot.yaml:1:7: template variable \"HOTS\" is not defined in custom conf/variables/common.yaml or custom conf/variables/<env>.yaml; did you mean \"HOST\"?",
        ),
        (
            "A: {{ secret \"NO\" }}",
            "custom/conf/robot.yaml:1:7: template secret \"NO\" is not defined in custom conf/variables/common.yaml or custom conf/variables/<env>.yaml",
        ),
        (
            "A: {{ secret \"BAD\" }}",
            "custom/conf/robot.yaml:1:7: the secret \"BAD\" at custom/conf/variables/common.yaml:1:16 is not base64, as `encrypt` prints it",
        ),
        (
            "A: {{ decrypt \"xyz\" }}",
            "custom/conf/robot.yaml:1:7: `decrypt` is gone: put the encrypted text under `Secrets` of conf/variables/common.yaml or of conf/variables/ENVIRONMENT.yaml, and write {{ secret \"NAME\" }} here",
        ),
    ] {
        let robot = format!("{robot}\n{BASE}");
        let files = [
            (ROBOT, robot.as_str()),
            ("/bot/custom/conf/part.yaml", "---\nBotInfo:\n  Nope: {{ env \"X\" }}\n"),
            ("/bot/custom/conf/twice.yaml", "--- # one\nHearSelf: true\n"),
            ("/bot/custom/conf/loop.yaml", "{{ .Include \"loop.yaml\" }}"),
            ("/bot/custom/conf/broken.yaml", "{{ 1 }}\n{{ oops }}\n"),
            ("/bot/conf/x.yaml", "Outside: 1\n"),
            (COMMON, "Secrets: {BAD: 'not base64', K: AQID}\nVariables: {HOST: x}\n"),
        ];
        let errors = load(&full(&[]), &files).err().expect(&robot);
        assert_eq!(errors, [expected], "{robot}");
    }
    let tree = Tree::with(&[TEST, (ROBOT, "{{ $long := \"\" }}\n{{ if eq $long 1 }}{{ end }}\n")]);
    let errors = read(Generation(1), &sources(), &full(&[]), &tree).err().expect("types");
    assert_eq!(
        errors[0].to_string(),
        "custom/conf/robot.yaml:2:7: `eq` cannot compare text with the number 1\n  | {{ if eq $long 1 }}{{ end }}\n  |       ^"
    );
}

#[test]
fn a_template_error_disables_an_extension_and_refuses_a_robot_or_protocol() {
    let plugin = |file: &str| {
        let files = [
            (ROBOT, "PrimaryProtocol: test\nExternalPlugins: {p: {Path: p.sh}}\n"),
            ("/bot/custom/p.sh", ""),
            ("/bot/custom/conf/plugins/p.yaml", file),
            ("/bot/custom/conf/plugins/more.yaml", "Users: [alice]\n"),
        ];
        finish(load(&full(&[]), &files).expect("valid"))
    };
    let robot = plugin("AllChannels: true\n{{ .Include \"more.yaml\" }}");
    assert_eq!(robot.extensions[0].users, ["alice"], "a file includes what lies beside it");
    assert_eq!(
        reason(&plugin("Users: [{{ variable \"X\" }}]")),
        "custom/conf/plugins/p.yaml:1:12: template variable \"X\" is not defined in custom conf/variables/common.yaml or custom conf/variables/<env>.yaml"
    );
    assert_eq!(
        reason(&plugin("Users: ['{{ env \"TOKEN\" }}']")).split(" (").next(),
        Some(
            "custom/conf/plugins/p.yaml:1:9: `{{ env \"TOKEN\" }}` is secret and cannot stand here, where the robot needs the text itself"
        )
    );
    let protocol = [("/bot/custom/conf/protocols/test.yaml", "ProtocolConfig: {}\n# {{ secret \"X\" }}\n")];
    let errors = load(&full(&[]), &protocol).err().expect("undefined");
    assert!(
        errors[0].starts_with("custom/conf/protocols/test.yaml:2:6: template secret \"X\" is not defined"),
        "{errors:?}"
    );
    let installed = [("/opt/gopher/conf/robot.yaml", "{{ oops }}")];
    assert_eq!(
        load(&full(&[]), &installed).err().expect("refused"),
        ["/opt/gopher/conf/robot.yaml:1:4: there is no function `oops`"]
    );
}

#[test]
fn secrets_stand_only_where_a_value_may_be_secret() {
    const KEY: &str = "{{ secret \"K\" }}";
    for (robot, place) in [
        ("DefaultJobChannel: KEY", Some("1:20")),
        ("Alias: KEY", Some("1:8")),
        ("AdminUsers: [alice, KEY]", Some("1:21")),
        ("BotInfo: {UserName: x, Email: KEY}", Some("1:31")),
        ("KEY: 1", Some("1:1")),
        ("ExternalPlugins: {p: {Path: KEY}}", Some("1:29")),
        ("ExternalPlugins: { KEY: {Path: x}}", Some("1:20")),
        ("ExternalTasks: {t: {Disabled: true, Parameters: [{Name: KEY, Value: x}]}}", Some("1:57")),
        ("ExternalTasks: {t: {Disabled: true, Parameters: [{Name: A, Value: KEY}]}}", None),
        ("ExternalJobs: {t: {Disabled: true, Parameters: [{Name: A, Value: 'x KEY y'}]}}", None),
        ("GoJobs: {t: {Parameters: [{Name: A, Value: KEY}]}}", None),
        ("NameSpaces: {t: {AppendParameters: [{Name: A, Value: KEY}]}}", None),
        ("ParameterSets: {t: {Parameters: [{Name: A, Value: KEY}]}}", None),
        ("MailConfig: {Password: KEY}", None),
        ("IdentityProviders: {x: {OAuth2: {Token: {Headers: {Key: KEY}}}}}", None),
        ("EncryptionKey: KEY", None),
        ("# KEY\nHearSelf: true", None),
        ("MailConfig: { KEY: x}", Some("1:15")),
    ] {
        let robot = format!("{}\n{BASE}", robot.replace("KEY", KEY));
        let files = [(ROBOT, robot.as_str()), (COMMON, "Secrets: {K: AQID}\n")];
        match (load(&full(&[]), &files), place) {
            (Ok(_), None) => {}
            (Err(errors), Some(place)) => {
                let expected = format!(
                    "custom/conf/robot.yaml:{place}: `{KEY}` is secret and cannot stand here, where the robot needs the text itself (secrets belong in"
                );
                assert!(errors.len() == 1 && errors[0].starts_with(&expected), "{robot} {errors:?}");
            }
            (Ok(_), Some(_)) => panic!("accepted: {robot}"),
            (Err(errors), None) => panic!("{robot} {errors:?}"),
        }
    }
}

#[test]
fn what_yaml_makes_of_half_a_secret_is_refused() {
    let file = "ProtocolConfig:\n  A: \"{{ env \"TOKEN\" }}\"\n  B: >-\n    {{ env \"TOKEN\" }}\n";
    let mut draft = load(&full(&[]), &[("/bot/custom/conf/protocols/test.yaml", file)]).expect("valid");
    assert_eq!(draft.table().connectors[0].values.len(), 2);
    let file = "ProtocolConfig:\n  {{ env \"TOKEN\" }}: 1\n  {{ env \"TOKEN\" }}: 2\n";
    let errors = load(&full(&[]), &[("/bot/custom/conf/protocols/test.yaml", file)]).err().expect("twice");
    assert_eq!(
        errors,
        [
            "custom/conf/protocols/test.yaml:3:3: the key `{{ env \"TOKEN\" }}` stands here a second time; it is already on line 2"
        ]
    );
    let marker = "GSECRET-30313233343536373839616263646566";
    let file = format!("ProtocolConfig:\n  A: {{{{ env \"TOKEN\" }}}}\n  B: {marker}\n");
    let errors = load(&full(&[]), &[("/bot/custom/conf/protocols/test.yaml", &file)]).err().expect("broken");
    assert_eq!(
        errors,
        ["custom/conf/protocols/test.yaml:3:6: a part of a secret stands here; secrets can only be used whole \
          (write {{ secret \"NAME\" }} or {{ env \"NAME\" }} without cutting or changing what it gives)"]
    );
}

#[test]
fn wrong_variables_files_refuse_the_robot() {
    for (file, expected) in [
        ("Secret: {}", "common.yaml:1:1: loading custom variables: unknown key `Secret` (did you mean `Secrets`?)"),
        (
            "Other: {}",
            "common.yaml:1:1: loading custom variables: unknown key `Other` (there are `Secrets` and `Variables`)",
        ),
        (
            "AppendSecrets: {}",
            "common.yaml:1:1: loading custom variables: unknown key `AppendSecrets` (there are `Secrets` and `Variables`)",
        ),
        (
            "[a]",
            "common.yaml:1:1: loading custom variables: expected a mapping of `Secrets` and `Variables`, found a list",
        ),
        (
            "Secrets: x",
            "common.yaml:1:10: loading custom variables: expected a mapping of names and values, found text",
        ),
        ("Variables: {A: [x]}", "common.yaml:1:16: loading custom variables: expected text, found a list"),
        (
            "Variables: {A: x, A: y}",
            "common.yaml:1:19: loading custom variables: the key `A` stands here a second time; it is already on line 1",
        ),
        (
            "Variables: [",
            "common.yaml:2:1: loading custom variables: this is not valid YAML: while parsing a node, did not find expected node content",
        ),
    ] {
        let errors = load(&full(&[]), &[(COMMON, file)]).err().expect(file);
        assert_eq!(errors, [format!("custom/conf/variables/{expected}")], "{file}");
    }
    for file in ["", "Secrets:\nVariables:\n", "# {{ oops }}\n", "Variables: {A: true, B: 1.50, C: }"] {
        assert!(load(&full(&[]), &[(COMMON, file)]).is_ok(), "{file}");
    }
    assert!(load(&full(&[("GOPHER_ENVIRONMENT", "")]), &[]).is_err());
    let files = [
        ("/opt/gopher/conf/variables/common.yaml", "oops: 1"),
        (ROBOT, "PrimaryProtocol: test\nBrain: '{{ variable \"A\" }}'\n"),
    ];
    let errors = load(&full(&[]), &files).err().expect("the install tree has no variables");
    assert!(errors[0].contains("template variable \"A\" is not defined"), "{errors:?}");
}

#[test]
fn what_a_plugin_prints_is_no_template() {
    let files = [(ROBOT, "PrimaryProtocol: test\nExternalPlugins: {p: {Path: p.sh}}\n"), ("/bot/custom/p.sh", "")];
    let draft = load(&full(&[]), &files).expect("valid");
    let printed = "AllChannels: true\nUsers: ['{{ env \"TOKEN\" }}']\n";
    let robot = draft.finish(vec![("p".into(), Ok(printed.to_owned()))]).expect("finishes");
    assert_eq!(robot.extensions[0].users, ["{{ env \"TOKEN\" }}"]);
}

#[test]
fn names_are_declared_plain_by_the_file_that_needs_their_values() {
    let names = |values: &[(&str, &str)], yaml: &str| {
        let tree = Tree::with(&[TEST, (STAGING, "Variables: {SITE: x}"), (ROBOT, yaml)]);
        plain_environment(&sources(), &full(values), &tree)
    };
    let staging = [("GOPHER_ENVIRONMENT", "staging")];
    for yaml in [
        "AdminContact: '{{ env \"TOKEN\" }}'\nPlainEnvironment: [TOKEN, NONE]\n",
        "{{ if eq (env \"TOKEN\") \"x\" }}{{ end }}\nPlainEnvironment: [TOKEN]\n",
        "ReadyMessage: '{{ variable \"SITE\" }}'\nPlainEnvironment: [TOKEN]\n",
    ] {
        assert_eq!(names(&staging, yaml), ["TOKEN"], "{yaml}");
    }
    assert_eq!(names(&staging, "PlainEnvironment: {}\n"), [""; 0]);
}

#[test]
fn the_trigger_of_a_job_may_be_secret() {
    let job = "UUIDTrigger: {{ env \"TOKEN\" | printf \"%q\" }}\n";
    let draft = load(
        &full(&[]),
        &[
            (
                ROBOT,
                "PrimaryProtocol: test\nAlias: ';'\nDefaultJobChannel: ops\nExternalJobs: {a: {Path: x}, b: {Path: x}}\n",
            ),
            ("/bot/custom/x", ""),
            ("/bot/custom/conf/jobs/a.yaml", job),
            ("/bot/custom/conf/jobs/b.yaml", job),
        ],
    );
    let mut draft = draft.expect("valid");
    assert_eq!(draft.table().references, [SecretRef::Environment("TOKEN".into())]);
    let robot = finish(draft);
    assert_eq!(robot.extensions.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["a"], "{:?}", robot.disabled);
    let same = "custom/conf/jobs/b.yaml:1:14: Disabling 'b', its UUIDTrigger is also that of the job 'a'";
    assert_eq!(robot.disabled[0].reason, same);
}

#[test]
fn who_only_looks_is_not_stopped_by_what_is_no_ciphertext() {
    let variables = ("/bot/custom/conf/variables/common.yaml", "Secrets: {KEY: '<to be encrypted>'}\n");
    let protocol = ("/bot/custom/conf/protocols/test.yaml", "ProtocolConfig: {Key: '{{ secret \"KEY\" }}'}\n");
    let refused = load(&full(&[]), &[variables, protocol]).map(drop).expect_err("no ciphertext");
    assert!(refused[0].contains("is not base64"), "{refused:?}");
    let looks = Launch { inspect: true, ..full(&[]) };
    let mut draft = load(&looks, &[variables, protocol]).expect("valid");
    let expected = [SecretRef::Variable { name: "KEY".into(), ciphertext: Vec::new() }];
    assert_eq!(draft.table().references, expected);
}
