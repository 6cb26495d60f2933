//! The decoders of gopher-config: YAML, robots, default configurations and patterns.
#![forbid(unsafe_code)]

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use bolero::check;
use gopher_config::{Diagnostic, FileKind, FileSource, LARGEST_FILE, Launch, pattern, read, simple, yaml_to_json};
use gopher_protocol::{
    ids::Generation,
    loader::{Sources, StartMode},
};

/// Time of one target under plain `cargo test`; a fuzzer takes its own.
const SHORT: Duration = Duration::from_millis(500);

/// Bytes as pieces of YAML: what is random as bytes is rarely more than one wrong character.
fn yaml_like(bytes: &[u8]) -> Vec<u8> {
    const PIECES: [&str; 32] = [
        "A",
        "Alias: ';'\n",
        "- ",
        "  ",
        "\n",
        "\n  ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        ": ",
        "&a ",
        "*a",
        "<<: ",
        "'",
        "\"",
        "|\n",
        "# c\n",
        "!!int ",
        "? ",
        "---\n",
        "0x1f",
        "~",
        "yes",
        "\t",
        "é",
        "AppendUsers: ",
        "Commands:\n- Regex: ",
        "Path: p\n",
        "(?i:\\d)",
        "\0",
    ];
    bytes.iter().flat_map(|b| PIECES[usize::from(b % 32)].bytes()).collect()
}

/// Every error has a place or is about a file as a whole, and can be shown.
fn shown(errors: &[Diagnostic]) {
    assert!(!errors.is_empty());
    for error in errors {
        assert!(error.to_string().len() < 16 << 10);
        assert!(!error.sentence().chars().any(char::is_control));
    }
}

#[test]
fn yaml() {
    check!().with_test_time(SHORT).for_each(|bytes: &[u8]| {
        for text in [bytes.to_vec(), yaml_like(bytes)] {
            match yaml_to_json("fuzz", text) {
                Ok(json) => {
                    let again = yaml_to_json("json", json.clone().into_bytes());
                    assert_eq!(again.ok(), Some(json), "JSON is YAML");
                }
                Err(errors) => shown(&errors),
            }
        }
    });
}

/// One robot whose files are all the same bytes.
struct Everywhere(Vec<u8>);

impl FileSource for Everywhere {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let fixed: &[u8] = match path.to_str() {
            Some("/bot/conf/protocols/test.yaml") => b"ProtocolConfig: {}\n",
            Some("/install/conf/robot.yaml") => b"ExternalPlugins: {p: {Path: p}}\n",
            Some(path) if path.contains("/brains/") => b"BrainConfig: {}\n",
            Some(path) if path.contains("/history/") => b"HistoryConfig: {}\n",
            Some(path) if path.contains("/variables/") => b"Secrets: {a: AQID}\nVariables: {b: x}\n",
            _ => &self.0,
        };
        Ok(Some(fixed.to_vec()))
    }

    fn kind(&self, _: &Path) -> io::Result<FileKind> {
        Ok(FileKind::File { owner_executable: true })
    }
}

/// Bytes as pieces of templates in YAML.
fn template_like(bytes: &[u8]) -> Vec<u8> {
    const PIECES: [&str; 64] = [
        "{{ ",
        " }}",
        "{{- ",
        " -}}",
        "{{ end }}",
        "{{ if ",
        "{{ else }}",
        "{{ else if ",
        "{{ range ",
        "{{ with ",
        "{{ define \"t\" }}",
        "{{ template \"t\" ",
        "{{ block \"u\" ",
        "{{ break }}",
        "{{ continue }}",
        "{{/*",
        "*/}}",
        "env \"TOKEN\" ",
        "env \"X\" ",
        "secret \"a\" ",
        "variable \"b\" ",
        "default ",
        "\"a\" ",
        "`r` ",
        "'c' ",
        "1 ",
        "-2.5e3 ",
        "0x1f ",
        "true ",
        "nil ",
        "$x ",
        "$ ",
        ":= ",
        "= ",
        "| ",
        "(",
        ") ",
        ". ",
        ".Include ",
        "\"x.yaml\" ",
        "\"../x\" ",
        "printf ",
        "\"%q\" ",
        "\"%[2]*.1d%v\" ",
        "print ",
        "eq ",
        "and ",
        "or ",
        "not ",
        "len ",
        "index ",
        "slice ",
        "html ",
        "js ",
        "urlquery ",
        "SetEnv \"X\" ",
        "GetStartupMode ",
        "ExternalPlugins: {p: {Parameters: [",
        "{Name: A, Value: ",
        "}]}}",
        "\n",
        "---\n",
        "Config: ",
        "é",
    ];
    bytes.iter().flat_map(|b| PIECES[usize::from(b % 64)].bytes()).collect()
}

#[test]
fn robot() {
    let launch = Launch {
        values: vec![("X".to_owned(), "x".to_owned())],
        private: vec!["TOKEN".to_owned()],
        encryption: true,
        inspect: true,
        nonce: [7; 16],
    };
    let sources = Sources {
        home: "/bot".to_owned(),
        config_dir: "/bot".to_owned(),
        install_dir: "/install".to_owned(),
        mode: StartMode::TestDev,
        protocol: Some("test".to_owned()),
        demo_extensions: false,
        extra_root: None,
    };
    check!().with_test_time(SHORT).for_each(|bytes: &[u8]| {
        for text in [bytes.to_vec(), yaml_like(bytes), template_like(bytes)] {
            match read(Generation(1), &sources, &launch, &Everywhere(text.clone())) {
                Ok(mut draft) => {
                    let secrets = draft.table().references.len();
                    assert!(secrets <= 2, "{secrets}");
                    let default = String::from_utf8_lossy(&text).into_owned();
                    let answers = draft.wants_defaults().into_iter().map(|name| (name, Ok(default.clone()))).collect();
                    let robot = draft.finish(answers).expect("only what was asked is answered");
                    assert!(robot.extensions.iter().all(|e| PathBuf::from(&e.path).is_absolute()));
                    assert!(!format!("{robot:?}").contains("GSECRET-0707"));
                }
                Err(errors) => shown(&errors),
            }
        }
    });
}

#[test]
fn patterns() {
    check!().with_test_time(SHORT).for_each(|bytes: &[u8]| {
        let alphabet = br"()[]{}*+?|\.^$-:,<>=!&~#abdswWDSBQEPpxzA0129iUm_ ";
        let likely: Vec<u8> = bytes.iter().map(|b| alphabet[usize::from(*b) % alphabet.len()]).collect();
        for text in [bytes, &likely] {
            let Ok(text) = std::str::from_utf8(text) else { continue };
            for ours in [pattern::anchored(text), pattern::unanchored(text)].into_iter().flatten() {
                pattern::compile(&ours).expect("what is accepted compiles again");
            }
        }
    });
}

#[test]
fn simple_matchers() {
    const PIECES: [&str; 24] = [
        "a",
        "b",
        " ",
        "-",
        "|",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "/",
        "<",
        ">",
        ":",
        "<x:ident>",
        "<rest>",
        "<n:number>",
        "(k:a|b)",
        "[:a|b c]",
        "[<y:rest>]",
        "[-o:-a|-b:<bool>]",
        ".",
        "é",
    ];
    check!().with_test_time(SHORT).for_each(|bytes: &[u8]| {
        let (spec, text) = bytes.split_at(bytes.len() / 2);
        let likely = |bytes: &[u8]| bytes.iter().map(|b| PIECES[usize::from(*b) % PIECES.len()]).collect::<String>();
        let plain = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for (spec, text) in [(plain(spec), plain(text)), (likely(spec), likely(text)), (likely(spec), plain(text))] {
            let Ok(spec) = simple::Spec::parse(&spec) else { continue };
            let outcome = spec.command(&text);
            let again = simple::Spec::parse(&spec.to_string()).expect("the canonical spelling parses");
            assert_eq!(again.command(&text), outcome);
            let (mut index, mut found) = (simple::Index::default(), Vec::new());
            index.add(7, &spec);
            index.look_up(&text, &mut found);
            assert!(found.contains(&7) || outcome == simple::Outcome::None, "{spec} / {text}");
        }
    });
}

#[test]
fn a_file_over_the_limit_is_refused() {
    let long = vec![b'#'; usize::try_from(LARGEST_FILE).expect("fits") + 1];
    shown(&yaml_to_json("long", long).expect_err("too long"));
}
